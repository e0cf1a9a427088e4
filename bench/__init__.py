"""How fast it is: `make bench` measures, draws and writes docs/speed.md."""
