"""Where results of event invocations are sent: one file per service, all behind `Target`."""
