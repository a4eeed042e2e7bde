/* Messages that wait for a child, wherever they come from. */
#include "floor.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

static const source *from;
static bool pumps_always;
static work *head, **tail = &head, *unused;
static size_t waiting;
static volatile sig_atomic_t stopped;

static void on_stop(int number) {
    (void)number;
    stopped = 1;
}

bool taking_stopped(void) { return stopped != 0; }

void taking_open(const floor_settings *settings, int poll, uint64_t mark) {
    struct sigaction action = {.sa_handler = on_stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    from = strncmp(settings->url, "redis:", 6) == 0 ? &redis_source : &rabbitmq_source;
    int socket = from->open(settings);
    pumps_always = socket < 0;
    if (!pumps_always)
        epoll_ctl(poll, EPOLL_CTL_ADD, socket, &(struct epoll_event){.events = EPOLLIN, .data.u64 = mark});
    from->pump();
}

void taking_turn(bool is_readable) {
    if (is_readable || pumps_always) from->pump();
}

work *taking_blank(void) {
    work *one = unused;
    if (one != NULL)
        unused = one->next;
    else if ((one = calloc(1, sizeof *one)) == NULL)
        give_up("out of memory");
    one->next = NULL;
    return one;
}

void taking_add(work *one) {
    *tail = one;
    tail = &one->next;
    waiting++;
}

work *taking_next(void) {
    work *one = head;
    if (one == NULL) return NULL;
    head = one->next;
    if (head == NULL) tail = &head;
    one->next = NULL;
    waiting--;
    return one;
}

size_t taking_count(void) { return waiting; }

void taking_acknowledge(work *done) {
    from->acknowledge(done);
    free(done->body);
    done->body = NULL;
    done->next = unused;
    unused = done;
}

void taking_flush(void) { from->flush(); }
void taking_close(void) { from->close(); }
