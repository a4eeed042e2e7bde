// A queue with cheap ends.

/// First in, first out, over one array; O(1) amortised.
struct Fifo<Element> {
    private var items: [Element?] = []
    private var head = 0

    var isEmpty: Bool { head == items.count }
    var count: Int { items.count - head }
    var first: Element? { isEmpty ? nil : items[head] }

    mutating func append(_ element: Element) { items.append(element) }

    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = items[head]
        items[head] = nil
        head += 1
        if head > 64, head > items.count / 2 {
            items.removeFirst(head)
            head = 0
        }
        return element
    }

    /// Puts elements back in front, in their order.
    mutating func prepend(_ elements: [Element]) {
        items.replaceSubrange(0..<head, with: elements.map { $0 })
        head = 0
    }
}
