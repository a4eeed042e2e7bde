/* One HTTP exchange over libcurl; see http.h. */
#include "http.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>
#include <library.h>

_Static_assert(HTTP_ERROR_SIZE >= CURL_ERROR_SIZE, "room for curl's words");

/* libcurl brings two dozen libraries with it, which cost every process their memory and the time to load them. Most
 * workers never speak HTTP, so it is loaded when it is first wanted. */
static struct {
    __typeof__(curl_global_init) *global_init;
    __typeof__(curl_easy_init) *init;
    __typeof__(curl_easy_setopt) *set;
    __typeof__(curl_easy_perform) *perform;
    __typeof__(curl_easy_getinfo) *info;
    __typeof__(curl_easy_strerror) *words;
    __typeof__(curl_easy_cleanup) *cleanup;
    __typeof__(curl_slist_append) *append;
    __typeof__(curl_slist_free_all) *free_all;
    __typeof__(curl_getdate) *date;
} lib;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int is_ready;
static char why_not[HTTP_ERROR_SIZE];

static void load(void) {
    static const struct library_function functions[] = {
        {"curl_global_init", &lib.global_init}, {"curl_easy_init", &lib.init},
        {"curl_easy_setopt", &lib.set},         {"curl_easy_perform", &lib.perform},
        {"curl_easy_getinfo", &lib.info},       {"curl_easy_strerror", &lib.words},
        {"curl_easy_cleanup", &lib.cleanup},    {"curl_slist_append", &lib.append},
        {"curl_slist_free_all", &lib.free_all}, {"curl_getdate", &lib.date},
    };
    static const char prefix[] = "libcurl cannot be used: ";
    const size_t count = sizeof functions / sizeof functions[0], start = sizeof prefix - 1;
    memcpy(why_not, prefix, start);
    if (library_open("libcurl.so.4", functions, count, why_not + start, sizeof why_not - start) != 0) return;
    is_ready = lib.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    if (!is_ready) snprintf(why_not + start, sizeof why_not - start, "it could not be initialized");
}

int http_begin(void) {
    pthread_once(&once, load);
    return is_ready ? 0 : -1;
}

struct answer {
    char *bytes; /* NULL: thrown away */
    size_t room, length;
};

/* Less than it was given ends the exchange. */
static size_t keep(char *bytes, size_t size, size_t count, void *context) {
    struct answer *answer = context;
    size_t length = size * count;
    if (answer->bytes == NULL) return length;
    if (length > answer->room - answer->length) return 0;
    memcpy(answer->bytes + answer->length, bytes, length);
    answer->length += length;
    return length;
}

/* Of the lines of the answer's head, which have no end: the one with its date. */
static size_t keep_date(char *bytes, size_t size, size_t count, void *context) {
    static const char name[] = "date:";
    char value[64];
    size_t length = size * count, start = sizeof name - 1;
    if (length <= start || length - start >= sizeof value || strncasecmp(bytes, name, start) != 0) return length;
    memcpy(value, bytes + start, length - start);
    value[length - start] = 0;
    *(int64_t *)context = lib.date(value, NULL);
    return length;
}

static CURLcode set_up(CURL *curl, const char *url, long timeout_ms, struct answer *answer, char *error) {
    CURLcode code = lib.set(curl, CURLOPT_ERRORBUFFER, error);
    if (code == CURLE_OK) code = lib.set(curl, CURLOPT_URL, url);
#if CURL_AT_LEAST_VERSION(7, 85, 0)
    if (code == CURLE_OK) code = lib.set(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    if (code == CURLE_OK) code = lib.set(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    if (code == CURLE_OK) code = lib.set(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    /* No signals: other threads have their own use for them. */
    if (code == CURLE_OK) code = lib.set(curl, CURLOPT_NOSIGNAL, 1L);
    if (code == CURLE_OK) code = lib.set(curl, CURLOPT_WRITEFUNCTION, keep);
    if (code == CURLE_OK) code = lib.set(curl, CURLOPT_WRITEDATA, answer);
    return code;
}

static CURLcode set_body(CURL *curl, struct curl_slist *lines, const void *body, size_t length) {
    CURLcode code = lib.set(curl, CURLOPT_HTTPHEADER, lines);
    if (code == CURLE_OK) code = lib.set(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    if (code == CURLE_OK) code = lib.set(curl, CURLOPT_POSTFIELDS, body);
    return code;
}

/* Does what is set up, if that went well, and ends it. */
static long finish(CURL *curl, CURLcode code, char *error) {
    long status = -1;
    if (code == CURLE_OK) code = lib.perform(curl);
    if (code == CURLE_OK) code = lib.info(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK) {
        status = -1;
        if (error[0] == 0) snprintf(error, HTTP_ERROR_SIZE, "%s", lib.words(code));
    }
    lib.cleanup(curl);
    return status;
}

static long refuse(char *error) {
    memcpy(error, why_not, sizeof why_not);
    return -1;
}

long http_post(const char *url, const char *const headers[], const void *body, size_t length, long timeout_ms,
               char *error) {
    struct answer nothing = {NULL, 0, 0};
    struct curl_slist *lines = NULL;
    if (http_begin() != 0) return refuse(error);
    CURL *curl = lib.init();
    CURLcode code = curl != NULL ? CURLE_OK : CURLE_OUT_OF_MEMORY;
    error[0] = 0;
    for (; code == CURLE_OK && *headers != NULL; headers++) {
        struct curl_slist *longer = lib.append(lines, *headers);
        if (longer != NULL) lines = longer;
        else code = CURLE_OUT_OF_MEMORY;
    }
    if (code == CURLE_OK) code = set_up(curl, url, timeout_ms, &nothing, error);
    if (code == CURLE_OK) code = set_body(curl, lines, body, length);
    long status = finish(curl, code, error);
    lib.free_all(lines);
    return status;
}

long http_get(const char *url, long timeout_ms, char *answer, size_t room, size_t *length, int64_t *date, char *error) {
    struct answer kept = {answer, room, 0};
    *date = -1;
    *length = 0;
    if (http_begin() != 0) return refuse(error);
    CURL *curl = lib.init();
    CURLcode code = curl != NULL ? CURLE_OK : CURLE_OUT_OF_MEMORY;
    error[0] = 0;
    if (code == CURLE_OK) code = set_up(curl, url, timeout_ms, &kept, error);
    if (code == CURLE_OK) code = lib.set(curl, CURLOPT_HEADERFUNCTION, keep_date);
    if (code == CURLE_OK) code = lib.set(curl, CURLOPT_HEADERDATA, date);
    long status = finish(curl, code, error);
    *length = kept.length;
    return status;
}
