// Objects from dictionaries, and changed copies of objects.

extension JSON {
    package static func object(sorted members: [String: JSON]) -> JSON {
        .object(members.sorted { $0.key < $1.key }.map { JSONMember(key: $0.key, value: $0.value) })
    }

    /// A copy of an object with this member, in its old place if it was there; of anything else, a new object.
    public func setting(_ key: String, to value: JSON) -> JSON {
        var members = members ?? []
        if let index = members.firstIndex(where: { $0.key.isSameBytes(as: key) }) {
            members[index].value = value
        } else {
            members.append(JSONMember(key: key, value: value))
        }
        return .object(members)
    }
}
