/// A list of exceptions by name, as `autoretry_for` has them: a type ("TimeoutError"), or module and type
/// ("myapp.errors.Busy").
public struct FailureNames: Sendable, Equatable {
    public let names: [String]

    public init(_ names: [String]) { self.names = names }

    /// Separated by commas or spaces.
    public init(_ text: String) {
        self.init(text.split { $0 == "," || $0 == " " || $0 == "\n" || $0 == "\t" }.map(String.init))
    }

    /// "Exception" stands for every failure, as it does in Python; other classes only for themselves: what is derived
    /// from what is not in the message.
    public func contains(_ failure: TaskFailure) -> Bool {
        names.contains { $0 == failure.type || $0 == "\(failure.module).\(failure.type)" || $0 == "Exception" }
    }
}
