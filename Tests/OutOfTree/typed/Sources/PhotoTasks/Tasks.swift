// What the bundle and its callers agree on.
import TaskhostSDK

public struct Size: Codable, Sendable, Equatable {
    public var width: Int
    public var height: Int

    public init(width: Int, height: Int) { (self.width, self.height) = (width, height) }
}

public struct Resize: TaskDeclaration {
    public static let taskName = "photos.resize"
    public typealias Output = Size

    @Arg public var size: Size
    @Arg public var width = 800
    @Arg public var title: String?

    public init() {}
    public init(_ size: Size, width: Int = 800, title: String? = nil) {
        (self.size, self.width, self.title) = (size, width, title)
    }
}

/// It returns nothing.
public struct Check: TaskDeclaration {
    public static let taskName = "photos.check"
    public typealias Output = Void

    @Arg public var size: Size

    public init() {}
    public init(_ size: Size) { self.size = size }
}

/// It calls the others.
public struct Album: TaskDeclaration {
    public static let taskName = "photos.album"
    public typealias Output = String

    @Arg public var sizes: [Size]

    public init() {}
    public init(_ sizes: [Size]) { self.sizes = sizes }
}
