/* What Swift sees of C. Lo que Swift ve de C. */
#include <sqlite3.h>

#include "pdf.h"
