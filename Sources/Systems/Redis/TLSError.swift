// Why a TLS session failed: lost, to be tried again, or refused, with a fix.
import COpenSSL
import Glibc
import Ports

enum TLSError {
    case lost(String)
    /// Permanent: one side does not accept the other's certificate, or they do not speak the same protocol.
    case refused(StoreFailure)

    /// - Parameters:
    ///   - status: SSL_get_error's word on a call that failed just now.
    ///   - isOpen: The handshake is over.
    init(_ session: OpaquePointer, _ status: Int32, isOpen: Bool, at address: RedisAddress) {
        let number = errno
        let code = ERR_get_error()
        let verdict = Int32(truncatingIfNeeded: SSL_get_verify_result(session))
        if !isOpen, verdict != X509_V_OK, SSL_get_verify_mode(session) != SSL_VERIFY_NONE {
            self = .refused(Self.distrust(verdict, address))
        } else if status == SSL_ERROR_SSL, code != 0 {
            self = Self.sort(code, isOpen, address)
        } else if status == SSL_ERROR_SYSCALL, number != 0 {
            self = .lost(String(cString: strerror(number)))
        } else if isOpen {
            self = .lost("Server closed the connection")
        } else {
            self = .lost("the server closed the connection during the TLS handshake: does it speak TLS on that port?")
        }
    }

    static func text(of code: UInt) -> String {
        // OpenSSL has no words for what the system refused; that is marked by the highest of its 32 bits.
        if code & 0x8000_0000 != 0 { return String(cString: strerror(Int32(code & 0x7fff_ffff))) }
        return ERR_reason_error_string(code).map { String(cString: $0) } ?? "OpenSSL error \(code)"
    }

    /// We do not accept the server.
    private static func distrust(_ verdict: Int32, _ address: RedisAddress) -> StoreFailure {
        let host = if case .host(let name, _) = address.place { name } else { "" }
        let reason = X509_verify_cert_error_string(Int(verdict)).map { String(cString: $0) } ?? "\(verdict)"
        switch verdict {
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            return refusal(
                "The certificate of \(address) is not made out to '\(host)'",
                "Write the host as its subjectAltName has it, or have one made; ssl_check_hostname=false would check the "
                    + "authority alone")
        case X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID:
            return refusal(
                "The certificate of \(address) is out of date (\(reason))",
                "Have it renewed, or set this machine's clock")
        default:
            let authorities = address.tls?.authorities.map { "'\($0)'" } ?? "the system's authorities"
            return refusal(
                "The certificate of \(address) is not vouched for by \(authorities) (\(reason))",
                "Name the PEM file of the authority that signed it: ?ssl_ca_certs=/path/ca.pem")
        }
    }

    private static func sort(_ code: UInt, _ isOpen: Bool, _ address: RedisAddress) -> TLSError {
        switch ERR_GET_REASON(code) {
        // A server that speaks TLS 1.3 says so after the handshake.
        case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
            SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE where address.tls?.certificate == nil:
            return .refused(
                refusal(
                    "\(address) wants a client certificate (\(text(of: code)))",
                    "Name one, and its key: ?ssl_certfile=/path/client.pem&ssl_keyfile=/path/client.key"))
        case SSL_R_TLSV1_ALERT_UNKNOWN_CA, SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN,
            SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,
            SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, SSL_R_TLSV1_ALERT_ACCESS_DENIED:
            return .refused(
                refusal(
                    "\(address) does not accept our certificate (\(text(of: code)))",
                    "Use one signed by an authority of the server's tls-ca-cert-file, and not out of date"))
        case SSL_R_WRONG_VERSION_NUMBER where !isOpen:
            return .refused(
                refusal(
                    "What listens at \(address) does not speak TLS", "Write its tls-port, or redis:// if it has none"))
        case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, SSL_R_UNSUPPORTED_PROTOCOL:
            return .refused(
                refusal("\(address) and we have no TLS version in common", "Let the server speak TLS 1.2 or 1.3"))
        default:
            return .lost("TLS: \(text(of: code))")
        }
    }

    private static func refusal(_ detail: String, _ fix: String) -> StoreFailure {
        StoreFailure(detail, .refused, fix: fix)
    }
}
