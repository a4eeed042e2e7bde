// TLS settings of an address as OpenSSL takes them: whom we trust, what we show.
import COpenSSL
import Ports

/// Made for each connection, so that files that were renewed are read again.
final class TLSContext {
    private let context: OpaquePointer

    /// - Throws: with the fix; permanent, as the files will not mend themselves.
    init(_ tls: RedisAddress.TLS) throws(StoreFailure) {
        ERR_clear_error()
        guard let context = copenssl_client() else { throw StoreFailure("OpenSSL has no memory for a connection") }
        self.context = context
        if tls.verifies {
            try trust(tls.authorities)
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        }
        if let certificate = tls.certificate { try show(certificate, tls.key ?? certificate) }
    }

    deinit { SSL_CTX_free(context) }

    /// A session with that server; nil: out of memory. To be freed.
    func session(with host: String, _ tls: RedisAddress.TLS) -> OpaquePointer? {
        guard let session = SSL_new(context) else { return nil }
        let isNumeric = HostLookup.isNumeric(host)
        // Names only: RFC 6066 knows no addresses here.
        var isDone = isNumeric || copenssl_name_server(session, host) == 1
        if tls.verifies, tls.checksHostName {
            let rules = SSL_get0_param(session)
            // As Python's ssl module has it: a subject's common name is no host name.
            X509_VERIFY_PARAM_set_hostflags(
                rules, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
            let isSet =
                isNumeric
                ? X509_VERIFY_PARAM_set1_ip_asc(rules, host) : X509_VERIFY_PARAM_set1_host(rules, host, host.utf8.count)
            isDone = isDone && isSet == 1
        }
        guard isDone else {
            SSL_free(session)
            return nil
        }
        return session
    }

    private func trust(_ authorities: String?) throws(StoreFailure) {
        guard let authorities else {
            // The system's, by OpenSSL's own paths or SSL_CERT_FILE and SSL_CERT_DIR.
            _ = SSL_CTX_set_default_verify_paths(context)
            return
        }
        guard SSL_CTX_load_verify_locations(context, authorities, nil) == 1 else {
            throw Self.unusable(
                "Certificate authorities cannot be read from '\(authorities)'",
                "ssl_ca_certs must name a readable file of PEM certificates")
        }
    }

    private func show(_ certificate: String, _ key: String) throws(StoreFailure) {
        guard SSL_CTX_use_certificate_chain_file(context, certificate) == 1,
            SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1,
            SSL_CTX_check_private_key(context) == 1
        else {
            throw Self.unusable(
                "The client certificate '\(certificate)' cannot be used with the key '\(key)'",
                "ssl_certfile and ssl_keyfile must be readable PEM files that belong together, the key without a "
                    + "password")
        }
    }

    private static func unusable(_ what: String, _ fix: String) -> StoreFailure {
        let code = ERR_get_error()
        let reason = code == 0 ? "" : " (\(TLSError.text(of: code)))"
        return StoreFailure(what + reason, .refused, fix: fix)
    }
}
