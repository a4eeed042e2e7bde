// Signatures as arguments and results of tasks: as their JSON.

extension Signature {
    /// Takes a signature as it came in a message. Throws `TaskError` (TypeError) for anything else.
    public init(json: JSON) throws(TaskError) {
        guard let checked = Signature(checking: json) else {
            throw TaskError(type: "TypeError", "\(json) is not a signature object")
        }
        self = checked
    }
}

extension Signature: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(json: JSON(from: decoder))
    }

    public func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }
}
