// libFuzzer's entry. Which of the targets runs is said by TASKHOST_FUZZ_TARGET (`run` sets it).
import Glibc

private let target: @Sendable ([UInt8]) -> Void = {
    let name = getenv("TASKHOST_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    switch name {
    case "bodies": return { Targets.bodies($0) }
    case "headers": return { Targets.headers($0) }
    case "formats": return { Targets.formats($0) }
    case "signatures": return { Targets.signatures($0) }
    case "metas": return { Targets.metas($0) }
    default:
        fatalError("TASKHOST_FUZZ_TARGET=\(name) is none of bodies, headers, formats, signatures, metas")
    }
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    target(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

enum Targets {}
