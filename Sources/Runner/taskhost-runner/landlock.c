/* landlock - plain system calls: the C library knows them not, and older headers not all of the rights. */
#define _GNU_SOURCE
#include "landlock.h"

#include "private_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CALL_CREATE = 444, CALL_ADD = 445, CALL_RESTRICT = 446 }; /* the same on all machines */
enum { ASK_VERSION = 1, RULE_PATH_BENEATH = 1 };

struct rules {
    uint64_t files, network, scopes;
};
struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

enum {
    WRITE_FILE = 1 << 1,
    /* Removing folders and files, making devices, folders, files, sockets, pipes and links. */
    CHANGE_FOLDER = 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12,
    RENAME_ACROSS = 1 << 13, /* version 2 */
    TRUNCATE = 1 << 14,      /* version 3 */
    SCOPE_SIGNALS = 1 << 1,  /* version 6 */
};

static bool allow(int ruleset, const char *folder, uint64_t rights, struct text *fault) {
    const int descriptor = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const struct path_rule rule = {.allowed = rights, .parent = descriptor};
    const bool made = descriptor >= 0 && syscall(CALL_ADD, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
    if (!made) {
        text_append_format(fault, "cannot be served: the folder %s of [sandbox] writable cannot be used: %s: make it, or "
                           "take it out of the list", folder, strerror(errno));
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    return made;
}

bool landlock_prepare(bool own_signals_only, const char *const *folders, size_t count, int *ruleset,
                      struct text *fault) {
    const long version = syscall(CALL_CREATE, NULL, 0, ASK_VERSION);
    struct rules rules = {0};
    *ruleset = -1;
    if (version < 1 && count > 0) {
        text_append_format(fault, "cannot be served: [sandbox] writable needs Landlock, and this kernel has none (%s): "
                           "take the list out, or use a kernel with CONFIG_SECURITY_LANDLOCK and lsm=landlock,…",
                           strerror(errno));
        return false;
    }
    if (own_signals_only && version >= 6) {
        rules.scopes = SCOPE_SIGNALS;
    }
    if (count > 0) {
        rules.files = WRITE_FILE | CHANGE_FOLDER | (version >= 2 ? RENAME_ACROSS : 0) | (version >= 3 ? TRUNCATE : 0);
    }
    if (rules.scopes == 0 && rules.files == 0) {
        return true;
    }
    const int made = private_fd((int)syscall(CALL_CREATE, &rules, sizeof rules, 0));
    if (made < 0) {
        text_append_format(fault, "cannot be served: the kernel makes no Landlock rules: %s: set [sandbox] signals, and no "
                           "writable", strerror(errno));
        return false;
    }
    bool whole = count == 0 || allow(made, "/dev", rules.files & (WRITE_FILE | TRUNCATE), fault);
    for (size_t index = 0; whole && index < count; index++) {
        whole = allow(made, folders[index], rules.files, fault);
    }
    if (whole) {
        *ruleset = made;
    } else {
        close(made);
    }
    return whole;
}

bool landlock_scope_signals(void) {
    const struct rules rules = {.scopes = SCOPE_SIGNALS};
    if (syscall(CALL_CREATE, NULL, 0, ASK_VERSION) < 6) {
        return true;
    }
    const int made = (int)syscall(CALL_CREATE, &rules, sizeof rules, 0);
    const bool entered = made >= 0 && landlock_enter(made);
    if (made >= 0) {
        close(made);
    }
    return entered;
}

bool landlock_enter(int ruleset) { return syscall(CALL_RESTRICT, ruleset, 0) == 0; }
