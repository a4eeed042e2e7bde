/* LibYAML (Debian: libyaml-dev) for Swift: its own headers, nothing added. */
#ifndef TASKHOST_CYAML_SHIM_H
#define TASKHOST_CYAML_SHIM_H

#include <yaml.h>

#endif
