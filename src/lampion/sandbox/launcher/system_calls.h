/*
 * What a function may ask of the kernel. Whatever isn't here is refused (seccomp.c), in particular all that makes or
 * enters namespaces, mounts, traces, loads code into the kernel, or reaches parts of it that no function needs.
 * CALL: known to every header. NEW: with the number that it has on all architectures, as older headers lack it.
 */

/* Files */
CALL(read) CALL(write) CALL(close) CALL(fstat) CALL(lseek) CALL(pread64) CALL(pwrite64) CALL(readv) CALL(writev)
CALL(preadv) CALL(pwritev) CALL(preadv2) CALL(pwritev2) CALL(sendfile) CALL(splice) CALL(tee) CALL(vmsplice)
CALL(copy_file_range) CALL(dup) CALL(dup3) CALL(pipe2) CALL(fcntl) CALL(flock) CALL(fsync) CALL(fdatasync)
CALL(sync_file_range) CALL(truncate) CALL(ftruncate) CALL(fallocate) CALL(fadvise64) CALL(readahead) CALL(getdents64)
CALL(getcwd) CALL(chdir) CALL(fchdir) CALL(openat) CALL(openat2) CALL(close_range) CALL(mkdirat) CALL(mknodat)
CALL(unlinkat) CALL(renameat2) CALL(linkat) CALL(symlinkat) CALL(readlinkat) CALL(faccessat) CALL(faccessat2)
CALL(fchmod) CALL(fchmodat) CALL(fchown) CALL(fchownat) CALL(umask) CALL(utimensat) CALL(statx) CALL(statfs)
CALL(fstatfs) CALL(setxattr) CALL(lsetxattr) CALL(fsetxattr) CALL(getxattr) CALL(lgetxattr) CALL(fgetxattr)
CALL(listxattr) CALL(llistxattr) CALL(flistxattr) CALL(removexattr) CALL(lremovexattr) CALL(fremovexattr)
CALL(memfd_create) CALL(inotify_init1) CALL(inotify_add_watch) CALL(inotify_rm_watch) CALL(io_setup) CALL(io_destroy)
CALL(io_getevents) CALL(io_pgetevents) CALL(io_submit) CALL(io_cancel) NEW(cachestat, 451) NEW(fchmodat2, 452)

/* Waiting for events */
CALL(ppoll) CALL(pselect6) CALL(epoll_create1) CALL(epoll_ctl) CALL(epoll_pwait) CALL(epoll_pwait2) CALL(eventfd2)
CALL(signalfd4) CALL(timerfd_create) CALL(timerfd_settime) CALL(timerfd_gettime)

/* Memory */
CALL(mmap) CALL(munmap) CALL(mprotect) CALL(mremap) CALL(msync) CALL(mincore) CALL(madvise) CALL(brk) CALL(mlock)
CALL(mlock2) CALL(munlock) CALL(mlockall) CALL(munlockall) CALL(remap_file_pages) CALL(pkey_alloc) CALL(pkey_free)
CALL(pkey_mprotect) CALL(membarrier) CALL(get_mempolicy) CALL(set_mempolicy) CALL(mbind)
NEW(set_mempolicy_home_node, 450) NEW(map_shadow_stack, 453) NEW(mseal, 462)

/* Processes and threads; of `clone` what makes no namespaces */
CALL(execve) CALL(execveat) CALL(exit) CALL(exit_group) CALL(wait4) CALL(waitid) CALL(getpid) CALL(getppid)
CALL(gettid) CALL(set_tid_address) CALL(set_robust_list) CALL(get_robust_list) CALL(rseq) CALL(futex)
CALL(futex_waitv) NEW(futex_wake, 454) NEW(futex_wait, 455) NEW(futex_requeue, 456) CALL(getpgid) CALL(setpgid)
CALL(getsid) CALL(setsid) CALL(sched_yield) CALL(sched_getaffinity) CALL(sched_setaffinity) CALL(sched_getparam)
CALL(sched_setparam) CALL(sched_getscheduler) CALL(sched_setscheduler) CALL(sched_getattr)
CALL(sched_get_priority_max) CALL(sched_get_priority_min) CALL(sched_rr_get_interval) CALL(getpriority)
CALL(setpriority) CALL(ioprio_get) CALL(ioprio_set) CALL(getrlimit) CALL(setrlimit) CALL(prlimit64) CALL(getrusage)
CALL(times) CALL(getcpu) CALL(restart_syscall) CALL(pidfd_open) CALL(pidfd_send_signal)

/* Signals */
CALL(kill) CALL(tkill) CALL(tgkill) CALL(rt_sigaction) CALL(rt_sigprocmask) CALL(rt_sigreturn) CALL(rt_sigpending)
CALL(rt_sigtimedwait) CALL(rt_sigsuspend) CALL(rt_sigqueueinfo) CALL(rt_tgsigqueueinfo) CALL(sigaltstack)

/* Who one is; nothing can be gained here */
CALL(getuid) CALL(geteuid) CALL(getgid) CALL(getegid) CALL(getresuid) CALL(getresgid) CALL(getgroups) CALL(setuid)
CALL(setgid) CALL(setreuid) CALL(setregid) CALL(setresuid) CALL(setresgid) CALL(setgroups) CALL(setfsuid)
CALL(setfsgid) CALL(capget) CALL(capset)

/* Time and the machine */
CALL(clock_gettime) CALL(clock_getres) CALL(clock_nanosleep) CALL(nanosleep) CALL(gettimeofday) CALL(getitimer)
CALL(setitimer) CALL(timer_create) CALL(timer_settime) CALL(timer_gettime) CALL(timer_getoverrun) CALL(timer_delete)
CALL(uname) CALL(sysinfo) CALL(getrandom)

/* Sockets; `socket` and `socketpair` of the families of the internet and of one machine */
CALL(bind) CALL(connect) CALL(listen) CALL(accept) CALL(accept4) CALL(getsockname) CALL(getpeername) CALL(sendto)
CALL(recvfrom) CALL(sendmsg) CALL(recvmsg) CALL(sendmmsg) CALL(recvmmsg) CALL(setsockopt) CALL(getsockopt)
CALL(shutdown)

/* Between processes of one sandbox */
CALL(shmget) CALL(shmat) CALL(shmdt) CALL(shmctl) CALL(semget) CALL(semop) CALL(semtimedop) CALL(semctl)
CALL(msgget) CALL(msgsnd) CALL(msgrcv) CALL(msgctl) CALL(mq_open) CALL(mq_unlink) CALL(mq_timedsend)
CALL(mq_timedreceive) CALL(mq_notify) CALL(mq_getsetattr)

#if defined(__x86_64__)
/* What younger architectures have only in the forms above */
CALL(open) CALL(creat) CALL(stat) CALL(lstat) CALL(newfstatat) CALL(access) CALL(mkdir) CALL(rmdir) CALL(rename)
CALL(renameat) CALL(link) CALL(unlink) CALL(symlink) CALL(readlink) CALL(chmod) CALL(chown) CALL(lchown) CALL(mknod)
CALL(getdents) CALL(dup2) CALL(pipe) CALL(poll) CALL(select) CALL(epoll_create) CALL(epoll_wait) CALL(eventfd)
CALL(signalfd) CALL(inotify_init) CALL(utime) CALL(utimes) CALL(futimesat) CALL(fork) CALL(vfork) CALL(getpgrp)
CALL(alarm) CALL(pause) CALL(time) CALL(arch_prctl)
#elif defined(__aarch64__)
CALL(newfstatat) CALL(renameat)
#endif
