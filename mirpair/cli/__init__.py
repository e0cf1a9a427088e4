"""The command `mirpair`: arguments, help texts, progress bars, exit codes and the self-test.
A command checks its arguments and calls the library.
Not here: the work itself, which Python users can call without this package."""
