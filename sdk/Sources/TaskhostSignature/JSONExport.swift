// Arguments are JSON values: who writes signatures has them at hand.
// build-static compiles all modules as one; then there is no TaskhostJSON to import.

#if canImport(TaskhostJSON)
    @_exported public import TaskhostJSON
#endif
