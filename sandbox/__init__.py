"""A SALESmanago simulator for the demo and the tests. The product never needs it in production."""
