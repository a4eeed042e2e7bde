// Bytes for a child that are not written yet: long bodies as they are, what is short put together.

/// Without a copy of what is long, and without moving what waits: a child that reads more slowly than it is given work
/// would otherwise cost all of that with each task.
struct FrameQueue {
    /// The last one grows, unless it is a long body.
    private var pieces: [[UInt8]] = [[]]
    private var endsInBody = false
    /// Of `pieces`, and of the first one that is left: what has been written.
    private var done = 0
    private var written = 0

    private static let longBytes = 32 << 10
    /// So many that are written go at a time.
    private static let donePieces = 64
    /// Memory that is kept for the next task.
    private static let keptBytes = 1 << 20

    var isEmpty: Bool { done == pieces.count - 1 && written == pieces[done].count }

    mutating func append(_ write: (inout [UInt8]) -> Void) {
        if endsInBody {
            pieces.append([])
            endsInBody = false
        }
        write(&pieces[pieces.count - 1])
    }

    mutating func append(body: [UInt8]) {
        guard body.count >= Self.longBytes else { return append { $0.append(contentsOf: body) } }
        pieces.append(body)
        endsInBody = true
    }

    /// - Parameter send: takes as much as it can; ≤ 0: nothing at present.
    mutating func flush(_ send: (UnsafeRawBufferPointer) -> Int) {
        while !isEmpty {
            let piece = pieces[done].count
            if written < piece {
                let sent = pieces[done].withUnsafeBytes { send(UnsafeRawBufferPointer(rebasing: $0[written...])) }
                guard sent > 0 else { return }
                written += sent
                guard written == piece else { return }
            }
            guard done < pieces.count - 1 else { break }
            pieces[done] = []
            done += 1
            written = 0
            if done == Self.donePieces {
                pieces.removeFirst(done)
                done = 0
            }
        }
        restart()
    }

    private mutating func restart() {
        if pieces.count == 1 {
            pieces[0].removeAll(keepingCapacity: pieces[0].capacity <= Self.keptBytes)
        } else {
            pieces = [[]]
        }
        (endsInBody, done, written) = (false, 0, 0)
    }
}
