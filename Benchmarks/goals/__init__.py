"""The goals of taskhost: what is measured for each, the arithmetic of rounds, and the pages made from it."""
