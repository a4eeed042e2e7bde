/* load - dlopen, registration, and the conditions on which a process may be forked from this one for ever after. */
#define _GNU_SOURCE
#include "load.h"

#include "context.h"
#include "control.h"
#include "elf_check.h"
#include "registry.h"
#include "tree.h"
#include "version.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool refuse(const char *shown_path, const char *reason) {
    struct text sentence = {0};
    text_append_format(&sentence, "%s %s", shown_path, reason);
    control_send_text((struct control_record){.type = RUNNER_REFUSED}, sentence.bytes, sentence.length);
    text_free(&sentence);
    return false;
}

/* dlerror says "PATH: undefined symbol: x" and the like; people want their file's name and the way out. */
static bool refuse_dlerror(const char *path, const char *shown_path) {
    const char *said = dlerror();
    const char *missing = "cannot open shared object file";
    struct text reason = {0};
    size_t length = strlen(path);
    if (said == NULL) {
        said = "no reason given";
    }
    if (strncmp(said, path, length) == 0 && said[length] == ':') {
        said += length + 1 + (said[length + 1] == ' ');
    }
    if (strstr(said, "undefined symbol") != NULL) {
        text_append_format(&reason, "cannot be loaded: %s: link the library or file that defines it into the bundle",
                           said);
    } else if (strstr(said, missing) != NULL) {
        text_append_format(&reason, "cannot be loaded: it needs %.*s, which is not installed here: install it, or link "
                           "it statically", (int)strcspn(said, ":"), said);
    } else {
        text_append_format(&reason, "cannot be loaded: %s: build it again on this machine", said);
    }
    refuse(shown_path, text_string(&reason));
    text_free(&reason);
    return false;
}

/* Tasks of this process as the kernel lists them; 0 if it doesn't. */
static unsigned thread_count(void) {
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/task");
    if (folder == NULL) {
        return 0;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += entry->d_name[0] != '.';
    }
    closedir(folder);
    return count;
}

static bool check_process(const char *shown_path) {
    siginfo_t info = {0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 || errno != ECHILD) {
        return refuse(shown_path, "starts processes while loading: start them in a task");
    }
    unsigned threads = thread_count();
    if (threads != 1) {
        struct text reason = {0};
        text_append_format(&reason, "starts threads while loading (%u beside the first), and a process with threads "
                           "cannot be forked safely: start them in a task", threads > 0 ? threads - 1 : 0);
        refuse(shown_path, text_string(&reason));
        text_free(&reason);
        return false;
    }
    return true;
}

static bool check_registration(const char *shown_path, int refusal) {
    if (registry.fault.length > 0) {
        return refuse(shown_path, text_string(&registry.fault));
    }
    if (refusal != 0) {
        struct text reason = {0};
        text_append_format(&reason, "cannot be used: its " TASKHOST_ENTRY_NAME "() returned %d: it must return 0",
                           refusal);
        refuse(shown_path, text_string(&reason));
        text_free(&reason);
        return false;
    }
    if (!registry.described) {
        return refuse(shown_path, "does not say what it is: its " TASKHOST_ENTRY_NAME "() must call describe");
    }
    return true;
}

static void send_manifest(void) {
    struct text manifest = {0};
    const size_t most = RUNNER_CONTROL_MAX - sizeof(struct control_record);
    manifest_write(&manifest);
    for (size_t at = 0; at < manifest.length; at += most) {
        size_t left = manifest.length - at;
        control_send_text((struct control_record){.type = RUNNER_MANIFEST_PART}, manifest.bytes + at,
                          left < most ? left : most);
    }
    text_free(&manifest);
    control_send((struct control_record){.type = RUNNER_READY, .pid = getpid()});
    control_flush();
}

/* The entry as C++ names it, with the parameters that people give it. */
static bool has_mangled_entry(void *library) {
    static const char *const names[] = {
        "_Z18taskhost_bundle_v1PK13taskhost_host", "_Z18taskhost_bundle_v1P13taskhost_host", "_Z18taskhost_bundle_v1PKv",
        "_Z18taskhost_bundle_v1Pv", "_Z18taskhost_bundle_v1v"};
    for (size_t index = 0; index < sizeof names / sizeof names[0]; index++) {
        if (dlsym(library, names[index]) != NULL) {
            return true;
        }
    }
    return false;
}

bool load_bundle(const char *path, const char *shown_path) {
    const pid_t self = getpid();
    struct text fault = {0};
    control_send_text((struct control_record){.type = RUNNER_LOADING}, shown_path, strlen(shown_path));
    if (!elf_check(path, &fault)) {
        return refuse(shown_path, text_string(&fault));
    }
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (getpid() != self) {
        _exit(0); /* a constructor forked, and this is the copy */
    }
    if (library == NULL) {
        return refuse_dlerror(path, shown_path);
    }
    taskhost_entry entry;
    *(void **)&entry = dlsym(library, TASKHOST_ENTRY_NAME);
    if (entry == NULL) {
        if (has_mangled_entry(library)) {
            return refuse(shown_path, "is no bundle: its " TASKHOST_ENTRY_NAME " is a C++ function: declare it extern \"C\", "
                                      "or include <taskhost.h>, which does, and write TASKHOST_BUNDLE(name, version)");
        }
        return refuse(shown_path, "is no bundle: it does not export " TASKHOST_ENTRY_NAME
                                  ": add TASKHOST_BUNDLE(name, version) to one of its files");
    }
    int refusal = entry(&host_functions);
    if (getpid() != self) {
        _exit(0);
    }
    if (!check_registration(shown_path, refusal) || !check_process(shown_path)) {
        return false;
    }
    send_manifest();
    return true;
}
