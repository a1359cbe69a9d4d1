/* .NET Core 3.1 asks for functions of OpenSSL 1.1 by name. OpenSSL 3 has all that its compiler needs, three of them
   under other names: this library adds these, and brings the rest. Built by `make setup-dotnet`. */
extern int EVP_MD_get_size(const void *digest);
extern void *SSL_get1_peer_certificate(const void *connection);
extern void ERR_new(void);
extern void ERR_set_debug(const char *file, int line, const char *function);
extern void ERR_set_error(int library, int reason, const char *format, ...);

int EVP_MD_size(const void *digest) {
    return EVP_MD_get_size(digest);
}

void *SSL_get_peer_certificate(const void *connection) {
    return SSL_get1_peer_certificate(connection);
}

void ERR_put_error(int library, int function, int reason, const char *file, int line) {
    (void)function;
    ERR_new();
    ERR_set_debug(file, line, "");
    ERR_set_error(library, reason, 0);
}
