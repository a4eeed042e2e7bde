/* One HTTP POST over libcurl; see http_post.h. */
#include "http_post.h"

#include <stdio.h>

#include <curl/curl.h>

_Static_assert(HTTP_POST_ERROR_SIZE >= CURL_ERROR_SIZE, "room for curl's words");

int http_post_begin(void) { return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1; }

static size_t throw_away(char *bytes, size_t size, size_t count, void *unused) {
    (void)bytes, (void)unused;
    return size * count;
}

static CURLcode set_up(CURL *curl, const char *url, struct curl_slist *lines, const void *body, size_t length,
                       long timeout_ms, char *error) {
    CURLcode code = curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    if (code == CURLE_OK) code = curl_easy_setopt(curl, CURLOPT_URL, url);
#if CURL_AT_LEAST_VERSION(7, 85, 0)
    if (code == CURLE_OK) code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    if (code == CURLE_OK) code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    if (code == CURLE_OK) code = curl_easy_setopt(curl, CURLOPT_HTTPHEADER, lines);
    if (code == CURLE_OK) code = curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    if (code == CURLE_OK) code = curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    if (code == CURLE_OK) code = curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    /* No signals: other threads have their own use for them. */
    if (code == CURLE_OK) code = curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (code == CURLE_OK) code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, throw_away);
    return code;
}

long http_post(const char *url, const char *const headers[], const void *body, size_t length, long timeout_ms,
               char *error) {
    long status = -1;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    struct curl_slist *lines = NULL;
    CURL *curl = curl_easy_init();
    error[0] = 0;
    for (; curl != NULL && *headers != NULL; headers++) {
        struct curl_slist *longer = curl_slist_append(lines, *headers);
        if (longer == NULL) goto over;
        lines = longer;
    }
    if (curl != NULL) code = set_up(curl, url, lines, body, length, timeout_ms, error);
    if (code == CURLE_OK) code = curl_easy_perform(curl);
    if (code == CURLE_OK) code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
over:
    if (code != CURLE_OK) {
        status = -1;
        if (error[0] == 0) snprintf(error, HTTP_POST_ERROR_SIZE, "%s", curl_easy_strerror(code));
    }
    curl_slist_free_all(lines);
    curl_easy_cleanup(curl);
    return status;
}
