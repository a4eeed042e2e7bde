/* Signatures as Celery's `auth` serializer makes them (RSA-PSS with the longest salt), over OpenSSL's libcrypto.
 *
 * A wrapper and nothing more: no files, no global state. Certificates and keys are not changed after they were read,
 * so several threads may use one. */
#ifndef TASKHOST_SIGNING_H
#define TASKHOST_SIGNING_H

#include <stddef.h>
#include <stdint.h>

typedef struct signing_certificate signing_certificate;
typedef struct signing_key signing_key;

enum signing_result { SIGNING_OK = 0, SIGNING_BAD = 1, SIGNING_UNKNOWN_DIGEST = 2, SIGNING_FAILED = 3 };

/* The first certificate of a PEM text; NULL: there is none, or it has no RSA key. To be freed. */
signing_certificate *signing_certificate_read(const void *pem, size_t length);
void signing_certificate_free(signing_certificate *certificate);

/* The issuer's attribute values and the serial number in decimal, joined by spaces; UTF-8. Lives as long as it does. */
const char *signing_certificate_id(const signing_certificate *certificate);

/* End of its validity, seconds since 1970. */
int64_t signing_certificate_expires(const signing_certificate *certificate);

/* SIGNING_OK: the signature is that of this data. `digest`: "sha256" and the like. */
enum signing_result signing_verify(const signing_certificate *certificate, const char *digest, const void *data,
                                   size_t length, const void *signature, size_t signature_length);

/* A private RSA key in PEM; NULL: it is none, or the password is wrong. `password` may be NULL. To be freed. */
signing_key *signing_key_read(const void *pem, size_t length, const char *password);
void signing_key_free(signing_key *key);

/* Bytes of a signature. */
size_t signing_key_size(const signing_key *key);

/* Whether the key is the one the certificate vouches for. */
int signing_key_matches(const signing_key *key, const signing_certificate *certificate);

/* `signature` has room for `signing_key_size` bytes; `signature_length` becomes their number. */
enum signing_result signing_sign(const signing_key *key, const char *digest, const void *data, size_t length,
                                 void *signature, size_t *signature_length);

enum { SIGNING_HMAC_SHA256_SIZE = 32 };

/* HMAC-SHA256 of this data; `code` has room for SIGNING_HMAC_SHA256_SIZE bytes. SIGNING_FAILED: no memory. */
enum signing_result signing_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
                                        unsigned char *code);

#endif
