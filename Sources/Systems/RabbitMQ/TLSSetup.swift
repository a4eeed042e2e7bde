// TLS settings of a connection, before it is opened.
import CRabbitMQ
import Glibc
import Ports

enum TLSSetup {
    /// Where distributions keep the authorities they trust.
    private static let systemAuthorities = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
    ]

    static func apply(_ tls: RabbitMQAddress.TLS, to socket: OpaquePointer) throws(BrokerFailure) {
        amqp_ssl_socket_set_verify_peer(socket, tls.verifies ? 1 : 0)
        amqp_ssl_socket_set_verify_hostname(socket, tls.verifies ? 1 : 0)
        let status = amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST)
        if status != 0 { throw .library(status, "choosing TLS 1.2 or later") }
        if tls.verifies {
            let path = tls.authorities ?? systemAuthorities.first { access($0, R_OK) == 0 }
            guard let path else {
                throw BrokerFailure(
                    .unreachable, "no certificate authorities found to check the broker with",
                    fix: "Name a file of them: ?cacertfile=/path/ca.pem")
            }
            guard amqp_ssl_socket_set_cacert(socket, path) == 0 else {
                throw BrokerFailure(
                    .unreachable, "cannot read certificate authorities from '\(path)'",
                    fix: "cacertfile must be a readable file of PEM certificates")
            }
        }
        switch (tls.certificate, tls.key) {
        case (nil, nil): break
        case (let certificate?, let key?):
            guard amqp_ssl_socket_set_key(socket, certificate, key) == 0 else {
                throw BrokerFailure(
                    .unreachable, "cannot use client certificate '\(certificate)' with key '\(key)'",
                    fix: "certfile and keyfile must be readable PEM files that belong together")
            }
        default:
            throw BrokerFailure(.unreachable, "certfile and keyfile belong together", fix: "Give both, or neither")
        }
    }
}
