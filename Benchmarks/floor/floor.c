/* floor pool|zygote|lanes OPTION… - works until SIGTERM. See floor.h, and `usage` for the options. */
#include "floor.h"
#include "tally.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: floor pool|zygote|lanes --url URL --queue NAME --tally FILE [--children 2] [--in-flight 1]\n"
    "             [--prefetch 256] [--batch] [--results redis://HOST:PORT|rpc] [--stamps] [--nap MICROSECONDS]\n"
    "pool: reused children; zygote: one process forks a child for each message; lanes: as many of those as children";

static const struct option options[] = {
    {"url", required_argument, NULL, 'u'},      {"queue", required_argument, NULL, 'q'},
    {"tally", required_argument, NULL, 't'},    {"children", required_argument, NULL, 'c'},
    {"in-flight", required_argument, NULL, 'i'}, {"prefetch", required_argument, NULL, 'p'},
    {"results", required_argument, NULL, 'r'},  {"nap", required_argument, NULL, 'n'},
    {"batch", no_argument, NULL, 'b'},          {"stamps", no_argument, NULL, 's'},
    {NULL, 0, NULL, 0}};

int main(int count, char **words) {
    floor_settings settings = {.children = 2, .in_flight = 1, .prefetch = 256};
    for (int option; (option = getopt_long(count, words, "", options, NULL)) != -1;) {
        switch (option) {
        case 'u': settings.url = optarg; break;
        case 'q': settings.queue = optarg; break;
        case 't': settings.tally = optarg; break;
        case 'c': settings.children = atoi(optarg); break;
        case 'i': settings.in_flight = atoi(optarg); break;
        case 'p': settings.prefetch = atoi(optarg); break;
        case 'r': settings.results = optarg; break;
        case 'n': settings.nap_us = atol(optarg); break;
        case 'b': settings.batch = true; break;
        case 's': settings.stamps = true; break;
        default: give_up("%s", usage);
        }
    }
    if (optind != count - 1 || settings.url == NULL || settings.queue == NULL || settings.tally == NULL ||
        settings.children < 1 || settings.in_flight < 1)
        give_up("%s", usage);
    const char *mode = words[optind];
    if (strcmp(mode, "pool") == 0)
        run_pool(&settings);
    else if (strcmp(mode, "zygote") == 0 || strcmp(mode, "lanes") == 0)
        run_forks(&settings, strcmp(mode, "lanes") == 0);
    else
        give_up("%s", usage);
    taking_close();
    return 0;
}

bool begin_tasks(const floor_settings *settings) { return tally_take(settings->tally); }

/* A body begins with [[N: the number of a stamp. */
void run_task(const floor_settings *settings, const char *body, size_t length) {
    if (settings->stamps && length > 3) tally_stamp(strtoull(body + 2, NULL, 10));
    if (settings->nap_us > 0) tally_nap((uint64_t)settings->nap_us * 1000u);
    tally_done();
}

void write_all(int descriptor, const void *bytes, size_t length) {
    const char *at = bytes;
    while (length > 0) {
        ssize_t written = write(descriptor, at, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) _exit(1);
        at += written;
        length -= (size_t)written;
    }
}
