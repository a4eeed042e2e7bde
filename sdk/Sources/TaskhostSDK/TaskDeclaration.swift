// What callers and the bundle agree on: a task's name, its arguments, its result.

/// A task as those who call it see it. Declared in a module that the bundle and its callers share; it says nothing of
/// how the task is done.
///
///     public struct Resize: TaskDeclaration {
///         public static let taskName = "images.resize"
///         public typealias Output = Picture
///         @Arg public var path: String
///         @Arg public var width = 800
///
///         public init() {}
///         public init(path: String, width: Int = 800) { (self.path, self.width) = (path, width) }
///     }
///
/// The bundle makes a handler of it: `extension Resize: TaskHandler { public func run(_ task: TaskContext) … }`.
/// Callers send a value of it, with its properties as keyword arguments: `client.send(Resize(path: "a.jpg"))`, or, from
/// another task, `task.send(Signature(Resize(path: "a.jpg")))`.
///
/// For a task written in another language plain properties will do: `@Arg` and `init()` are the handler's.
public protocol TaskDeclaration: Codable, Sendable {
    /// `Encodable`, or `Void` for JSON's null.
    associatedtype Output: Sendable

    /// The whole name, as messages have it: "images.resize".
    static var taskName: String { get }
}

extension Signature {
    /// A task by its declaration. What ran before it puts its result before these arguments, which are keyword ones.
    /// - Throws: `EncodingError`: an `@Arg` without default has not been set, or a value has no JSON.
    ///
    /// A program that imports TaskhostClient as well gets the client's, which knows Foundation's dates and bytes.
    @_disfavoredOverload
    public init(_ call: some TaskDeclaration) throws {
        self.init(Self.taskName(of: call), arguments: [], keywords: try Self.keywords(of: call))
    }

    private static func taskName<Call: TaskDeclaration>(of call: Call) -> String { Call.taskName }

    private static func keywords(of call: some TaskDeclaration) throws -> [String: JSON] {
        let members = try JSON(encoding: call).members ?? []
        return Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
    }
}
