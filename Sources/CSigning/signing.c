/* RSA-PSS over libcrypto; see signing.h. */
#define _GNU_SOURCE
#include "signing.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

struct signing_certificate {
    EVP_PKEY *key;
    char *id;
    int64_t expires;
};

struct signing_key {
    EVP_PKEY *key;
};

static BIO *open_text(const void *pem, size_t length) {
    return length <= INT_MAX ? BIO_new_mem_buf(pem, (int)length) : NULL;
}

/* The values of the issuer's attributes, each followed by a space, and the serial number. */
static char *make_id(const X509 *certificate) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL) return NULL;
    const X509_NAME *issuer = X509_get_issuer_name(certificate);
    int is_good = 1;
    for (int index = 0; index < X509_NAME_entry_count(issuer); index++) {
        unsigned char *value = NULL;
        int size = ASN1_STRING_to_UTF8(&value, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(issuer, index)));
        /* A NUL inside would make two issuers look like one. */
        if (size < 0 || memchr(value, 0, (size_t)size) != NULL) is_good = 0;
        if (size > 0) fwrite(value, 1, (size_t)size, out);
        fputc(' ', out);
        OPENSSL_free(value);
    }
    BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *digits = serial != NULL ? BN_bn2dec(serial) : NULL;
    if (digits != NULL) fputs(digits, out);
    if (digits == NULL || ferror(out)) is_good = 0;
    OPENSSL_free(digits);
    BN_free(serial);
    if (fclose(out) != 0) is_good = 0;
    if (is_good) return text;
    free(text);
    return NULL;
}

signing_certificate *signing_certificate_read(const void *pem, size_t length) {
    BIO *text = open_text(pem, length);
    X509 *x509 = text != NULL ? PEM_read_bio_X509(text, NULL, NULL, NULL) : NULL;
    BIO_free(text);
    signing_certificate *certificate = NULL;
    EVP_PKEY *key = x509 != NULL ? X509_get_pubkey(x509) : NULL;
    struct tm end = {0};
    if (key != NULL && EVP_PKEY_is_a(key, "RSA") && ASN1_TIME_to_tm(X509_get0_notAfter(x509), &end) == 1)
        certificate = calloc(1, sizeof *certificate);
    if (certificate != NULL) {
        certificate->key = key;
        key = NULL;
        certificate->expires = timegm(&end);
        certificate->id = make_id(x509);
        if (certificate->id == NULL) {
            signing_certificate_free(certificate);
            certificate = NULL;
        }
    }
    EVP_PKEY_free(key);
    X509_free(x509);
    ERR_clear_error();
    return certificate;
}

void signing_certificate_free(signing_certificate *certificate) {
    if (certificate == NULL) return;
    EVP_PKEY_free(certificate->key);
    free(certificate->id);
    free(certificate);
}

const char *signing_certificate_id(const signing_certificate *certificate) { return certificate->id; }

int64_t signing_certificate_expires(const signing_certificate *certificate) { return certificate->expires; }

/* The longest salt that fits, as a number: verification must not take shorter ones. Negative: the key is too small. */
static int longest_salt(EVP_PKEY *key, const EVP_MD *digest) {
    int encoded = (EVP_PKEY_get_bits(key) - 1 + 7) / 8;
    return encoded - EVP_MD_get_size(digest) - 2;
}

static int set_padding(EVP_PKEY_CTX *context, EVP_PKEY *key, const EVP_MD *digest) {
    int salt = longest_salt(key, digest);
    return salt >= 0 && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest) > 0 && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt) > 0;
}

enum signing_result signing_verify(const signing_certificate *certificate, const char *digest, const void *data,
                                   size_t length, const void *signature, size_t signature_length) {
    const EVP_MD *kind = EVP_get_digestbyname(digest);
    if (kind == NULL) return SIGNING_UNKNOWN_DIGEST;
    enum signing_result result = SIGNING_FAILED;
    EVP_MD_CTX *work = EVP_MD_CTX_new();
    EVP_PKEY_CTX *context = NULL;
    if (work != NULL && EVP_DigestVerifyInit(work, &context, kind, NULL, certificate->key) == 1 &&
        set_padding(context, certificate->key, kind))
        result = EVP_DigestVerify(work, signature, signature_length, data, length) == 1 ? SIGNING_OK : SIGNING_BAD;
    EVP_MD_CTX_free(work);
    ERR_clear_error();
    return result;
}

/* Never ask on a terminal for a password that was not given. */
static int give_password(char *buffer, int size, int for_writing, void *password) {
    (void)for_writing;
    size_t length = password != NULL ? strlen(password) : 0;
    if (length == 0 || length > (size_t)size) return -1;
    memcpy(buffer, password, length);
    return (int)length;
}

signing_key *signing_key_read(const void *pem, size_t length, const char *password) {
    BIO *text = open_text(pem, length);
    EVP_PKEY *found = text != NULL ? PEM_read_bio_PrivateKey(text, NULL, give_password, (void *)password) : NULL;
    BIO_free(text);
    signing_key *key = NULL;
    if (found != NULL && EVP_PKEY_is_a(found, "RSA")) key = calloc(1, sizeof *key);
    if (key != NULL)
        key->key = found;
    else
        EVP_PKEY_free(found);
    ERR_clear_error();
    return key;
}

void signing_key_free(signing_key *key) {
    if (key == NULL) return;
    EVP_PKEY_free(key->key);
    free(key);
}

size_t signing_key_size(const signing_key *key) { return (size_t)EVP_PKEY_get_size(key->key); }

int signing_key_matches(const signing_key *key, const signing_certificate *certificate) {
    int is_same = EVP_PKEY_eq(key->key, certificate->key) == 1;
    ERR_clear_error();
    return is_same;
}

enum signing_result signing_sign(const signing_key *key, const char *digest, const void *data, size_t length,
                                 void *signature, size_t *signature_length) {
    const EVP_MD *kind = EVP_get_digestbyname(digest);
    if (kind == NULL) return SIGNING_UNKNOWN_DIGEST;
    enum signing_result result = SIGNING_FAILED;
    EVP_MD_CTX *work = EVP_MD_CTX_new();
    EVP_PKEY_CTX *context = NULL;
    *signature_length = signing_key_size(key);
    if (work != NULL && EVP_DigestSignInit(work, &context, kind, NULL, key->key) == 1 &&
        set_padding(context, key->key, kind) &&
        EVP_DigestSign(work, signature, signature_length, data, length) == 1)
        result = SIGNING_OK;
    EVP_MD_CTX_free(work);
    ERR_clear_error();
    return result;
}

enum signing_result signing_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
                                        unsigned char *code) {
    if (key_length > INT_MAX) return SIGNING_FAILED;
    const unsigned char *made = HMAC(EVP_sha256(), key, (int)key_length, data, length, code, NULL);
    return made != NULL ? SIGNING_OK : SIGNING_FAILED;
}
