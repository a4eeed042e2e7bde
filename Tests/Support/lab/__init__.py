"""What journeys, faults and benchmarks share: the built taskhost as a black box, and tools to look at it."""
