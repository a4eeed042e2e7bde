// `import TaskhostSDK` is all an author writes: the C ABI's names and the JSON value come with it.
// build-static compiles both modules as one; then there is no TaskhostJSON to import.

@_exported public import CTaskhost

#if canImport(TaskhostJSON)
    @_exported public import TaskhostJSON
#endif
