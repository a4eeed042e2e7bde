// The levels of the parts below the program, as swift-log's.
import Logging
package import TaskModel

extension Logger.Level {
    package init(_ level: LogLevel) {
        switch level {
        case .debug: self = .debug
        case .info: self = .info
        case .warning: self = .warning
        case .error: self = .error
        }
    }
}
