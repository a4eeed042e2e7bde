// `import TaskhostSDK` is all an author writes: the C ABI's names, the JSON value and signatures come
// with it.
// build-static compiles all modules as one; then there is nothing else to import.

@_exported public import CTaskhost

#if canImport(TaskhostJSON)
    @_exported public import TaskhostJSON
#endif

#if canImport(TaskhostSignature)
    @_exported public import TaskhostSignature
#endif
