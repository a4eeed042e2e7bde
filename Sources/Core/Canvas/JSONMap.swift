// A JSON object as signatures need it: ordered, changed key by key.
public import TaskhostJSON

/// Options and keyword arguments are short, so a scan beats hashing. Keys are unique; new ones go to the end.
public struct JSONMap: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    public private(set) var members: [JSONMember]

    public init(_ members: [JSONMember] = []) { self.members = members }

    public init(dictionaryLiteral elements: (String, JSON)...) {
        members = []
        for (key, value) in elements { self[key] = value }
    }

    public var isEmpty: Bool { members.isEmpty }

    /// nil: there is no such key. A present null is `.null`.
    public subscript(key: String) -> JSON? {
        get { members.first { $0.key == key }?.value }
        set {
            let index = members.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(JSONMember(key: key, value: value))
            case (nil, nil): break
            }
        }
    }

    /// The value of a key; nil too where it is null, which means "not given" in options.
    public func given(_ key: String) -> JSON? {
        guard let value = self[key], !value.isNull else { return nil }
        return value
    }

    public func text(_ key: String) -> String? { given(key)?.text }

    /// Keys of the other map win.
    public mutating func merge(_ other: JSONMap, where takes: (JSONMember) -> Bool = { _ in true }) {
        for member in other.members where takes(member) { self[member.key] = member.value }
    }

    /// A list option: null or nothing is none, a single value is a list of one.
    public func list(_ key: String) -> [JSON] {
        switch given(key) {
        case nil: []
        case .array(let elements)?: elements
        case let single?: [single]
        }
    }

    public func without(_ keys: String...) -> JSONMap { JSONMap(members.filter { !keys.contains($0.key) }) }

    public var json: JSON { .object(members) }
}
