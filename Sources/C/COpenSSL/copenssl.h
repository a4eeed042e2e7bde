/*
 * copenssl - OpenSSL 3 (Debian: libssl-dev) as Swift sees it: the client's side of TLS, signatures.
 *
 * Inline wrappers only for what Swift cannot call itself: function-like macros, and flags made by such.
 */
#ifndef COPENSSL_H
#define COPENSSL_H
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

/* An encrypted key must not make the library ask for its password on the terminal. */
static inline int copenssl_no_password(char *buffer, int size, int writing, void *data) {
    (void)buffer, (void)size, (void)writing, (void)data;
    return -1;
}

/* TLS 1.2 or later, no renegotiation (a read never has to wait for a write), and an end without a farewell counts as
 * an end: RESP says by itself where a reply stops. */
static inline SSL_CTX *copenssl_client(void) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context) return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_passwd_cb(context, copenssl_no_password);
    return context;
}

static inline int copenssl_name_server(SSL *ssl, const char *name) { return (int)SSL_set_tlsext_host_name(ssl, name); }

#endif
