/// Which hosts of this machine are asked, without a broker.
package enum LocalHostsAddress: Sendable {
    /// All of this user.
    case all
    /// Those that answer at these sockets.
    case sockets([String])

    package var sockets: [String]? { if case .sockets(let paths) = self { paths } else { nil } }
}
