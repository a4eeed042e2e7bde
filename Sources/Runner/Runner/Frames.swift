// Frames of a lane's data socket: taking them out of what was read, putting tasks into what is to be written.

internal import CRunnerProtocol
internal import Ports
internal import TaskModel

/// Collects the pieces of frames that end in a later read.
struct FrameReader {
    struct Violation: Error {
        var text: String
    }

    private var partial: [UInt8] = []

    /// True between frames.
    var isEmpty: Bool { partial.isEmpty }

    /// Calls `take` with each complete frame's header and payload, until it answers false.
    mutating func feed(
        _ bytes: UnsafeRawBufferPointer, _ take: (frame_header, UnsafeRawBufferPointer) -> Bool
    ) throws(Violation) {
        if partial.isEmpty {
            let used = try Self.walk(bytes, take)
            partial.append(contentsOf: bytes[used...])
        } else {
            partial.append(contentsOf: bytes)
            let needed = try Self.lengthNeeded(partial)
            guard partial.count >= needed else { return }
            var whole: [UInt8] = []
            swap(&whole, &partial)
            let taken: Result<Int, Violation> = whole.withUnsafeBytes { all in
                do throws(Violation) {
                    return .success(try Self.walk(all, take))
                } catch {
                    return .failure(error)
                }
            }
            partial.append(contentsOf: whole[try taken.get()...])
        }
    }

    private static let headerSize = MemoryLayout<frame_header>.size

    private static func walk(
        _ bytes: UnsafeRawBufferPointer, _ take: (frame_header, UnsafeRawBufferPointer) -> Bool
    ) throws(Violation) -> Int {
        var offset = 0
        while bytes.count - offset >= headerSize {
            let header = bytes.loadUnaligned(fromByteOffset: offset, as: frame_header.self)
            let length = try checkedLength(header)
            guard bytes.count - offset - headerSize >= length else { break }
            let start = offset + headerSize
            offset = start + length
            if !take(header, UnsafeRawBufferPointer(rebasing: bytes[start..<offset])) { return bytes.count }
        }
        return offset
    }

    private static func lengthNeeded(_ partial: [UInt8]) throws(Violation) -> Int {
        guard partial.count >= headerSize else { return headerSize }
        let header = partial.withUnsafeBytes { $0.loadUnaligned(as: frame_header.self) }
        return headerSize + (try checkedLength(header))
    }

    private static func checkedLength(_ header: frame_header) throws(Violation) -> Int {
        guard header.length <= RUNNER_FRAME_MAX else {
            throw Violation(text: "it sent a frame of \(header.length) bytes, more than is allowed")
        }
        return Int(header.length)
    }
}

/// What goes to a child, back to back.
enum FrameWriter {
    /// Bytes of payload this request needs.
    static func taskLength(_ request: StartRequest) -> Int {
        MemoryLayout<task_request>.size + request.id.utf8.count + (request.rootID?.utf8.count ?? 0)
            + (request.parentID?.utf8.count ?? 0) + (request.groupID?.utf8.count ?? 0) + request.queue.utf8.count
            + request.headersJSON.count + request.propertiesJSON.count + request.body.count
            + (request.trace?.traceparent.utf8.count ?? 0) + (request.trace?.state?.utf8.count ?? 0)
    }

    static func appendTask(
        _ request: StartRequest, index: Int, sequence: UInt64, isLast: Bool, maxResidentKiB: UInt32 = 0,
        to queue: inout FrameQueue
    ) {
        queue.append { bytes in
            append(header(FRAME_TASK, length: taskLength(request), sequence: sequence), to: &bytes)
            var fixed = fixedPart(request, index: index, isLast: isLast)
            fixed.most_resident_kib = maxResidentKiB
            append(fixed, to: &bytes)
            for text in [request.id, request.rootID, request.parentID, request.groupID, request.queue] {
                if let text { bytes.append(contentsOf: text.utf8) }
            }
            bytes.append(contentsOf: request.headersJSON)
            bytes.append(contentsOf: request.propertiesJSON)
        }
        queue.append(body: request.body)
        guard let trace = request.trace else { return }
        queue.append { bytes in
            bytes.append(contentsOf: trace.traceparent.utf8)
            if let state = trace.state { bytes.append(contentsOf: state.utf8) }
        }
    }

    static func appendExit(to bytes: inout [UInt8]) {
        append(header(FRAME_EXIT, length: 0, sequence: 0), to: &bytes)
    }

    private static func fixedPart(_ request: StartRequest, index: Int, isLast: Bool) -> task_request {
        var part = task_request()
        part.task = UInt32(index)
        part.flags = (request.redelivered ? TASK_REDELIVERED.rawValue : 0) | (isLast ? TASK_LAST_IN_CHILD.rawValue : 0)
        part.retries = UInt32(clamping: request.retries)
        part.starts = UInt32(clamping: max(1, request.starts))
        part.soft_limit_s = request.softLimit ?? 0
        part.hard_limit_s = request.hardLimit ?? 0
        part.eta_unix_s = request.eta?.secondsSince1970 ?? 0
        switch request.maxRetries {
        case .atMost(let bound): part.max_retries = Int32(clamping: max(0, bound))
        case .unlimited: part.max_retries = -1
        }
        part.id_length = UInt32(request.id.utf8.count)
        part.root_id_length = UInt32(request.rootID?.utf8.count ?? 0)
        part.parent_id_length = UInt32(request.parentID?.utf8.count ?? 0)
        part.group_id_length = UInt32(request.groupID?.utf8.count ?? 0)
        part.queue_length = UInt32(request.queue.utf8.count)
        part.headers_length = UInt32(request.headersJSON.count)
        part.properties_length = UInt32(request.propertiesJSON.count)
        part.body_length = UInt32(request.body.count)
        part.traceparent_length = UInt32(request.trace?.traceparent.utf8.count ?? 0)
        part.tracestate_length = UInt32(request.trace?.state?.utf8.count ?? 0)
        return part
    }

    private static func header(_ type: runner_frame, length: Int, sequence: UInt64) -> frame_header {
        frame_header(length: UInt32(length), type: UInt16(type.rawValue), code: 0, sequence: sequence)
    }

    private static func append<Value>(_ value: Value, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }
}
