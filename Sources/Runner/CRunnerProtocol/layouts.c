/* Compiles the static assertions of runner_protocol.h; holds no code. */
#include "runner_protocol.h"
