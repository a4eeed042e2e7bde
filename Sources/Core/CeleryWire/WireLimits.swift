// How much of a message is worth reading.
public import TaskhostJSON

/// Bounds on messages of any client, checked before memory is spent on them (docs/wire.md, `[limits]`).
/// Values out of range are moved to the nearest bound.
public struct WireLimits: Sendable, Equatable {
    /// Bytes of a body, 1 KiB…60 MiB: what the runner takes in one piece.
    public let maxBodyBytes: Int
    /// Containers within each other in a body, the outermost included; 4…512.
    public let maxDepth: Int
    /// JSON values in a body, 16…16,000,000.
    public let maxNodes: Int
    /// Tables and arrays within each other in the headers; 2…32.
    public let maxHeaderDepth: Int
    /// Header values, nested ones included; 32…10,000.
    public let maxHeaderFields: Int
    /// Bytes of all header names and texts; 1 KiB…120 KiB (RabbitMQ's frame holds 128 KiB).
    public let maxHeaderBytes: Int

    public init(
        maxBodyBytes: Int = 32 << 20, maxDepth: Int = 256, maxNodes: Int = 2_000_000, maxHeaderDepth: Int = 8,
        maxHeaderFields: Int = 1_000, maxHeaderBytes: Int = 64 << 10
    ) {
        self.maxBodyBytes = max(1 << 10, min(60 << 20, maxBodyBytes))
        self.maxDepth = max(4, min(512, maxDepth))
        self.maxNodes = max(16, min(16_000_000, maxNodes))
        self.maxHeaderDepth = max(2, min(32, maxHeaderDepth))
        self.maxHeaderFields = max(32, min(10_000, maxHeaderFields))
        self.maxHeaderBytes = max(1 << 10, min(120 << 10, maxHeaderBytes))
    }

    public static let standard = WireLimits()

    /// Bytes a body may have once it is decompressed and its aliases are followed: four times `maxBodyBytes`, up to
    /// 32 MiB, but never less than `maxBodyBytes`.
    public var maxDecodedBytes: Int { max(maxBodyBytes, min(4 * maxBodyBytes, 32 << 20)) }

    /// The part that concerns the body's JSON.
    public var json: JSONLimits { JSONLimits(maxDepth: maxDepth, maxNodes: maxNodes) }
}
