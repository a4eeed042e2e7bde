// What waits to be written to a child: in order, whatever its socket takes at a time.
import Testing

@testable import Runner

@Suite("What waits to be written to a child")
struct FrameQueueTests {
    @Test("comes out as it went in, however little is taken at a time", arguments: [1_000, 40_000, 1 << 20])
    func order(most: Int) {
        var queue = FrameQueue()
        var (given, taken): ([UInt8], [UInt8]) = ([], [])
        var room = 0
        for number in 0..<200 {
            // Short, long, and of none.
            let body = [UInt8](repeating: UInt8(number), count: [10, 50_000, 0, 32 << 10][number % 4])
            queue.append { $0.append(contentsOf: [1, 2, UInt8(number)]) }
            queue.append(body: body)
            queue.append { $0.append(3) }
            given += [1, 2, UInt8(number)] + body + [3]
            room = most
            queue.flush { bytes in
                let count = min(room, bytes.count)
                taken += bytes[..<count]
                room -= count
                return count == 0 ? -11 : count
            }
        }
        queue.flush {
            taken += $0
            return $0.count
        }
        #expect(queue.isEmpty && taken == given)
    }
}
