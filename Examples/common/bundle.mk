# What the Makefiles of the examples share. NAME is the bundle's; COMMON names the files of ../common it is made of, too;
# LIBRARIES those of the system that its C code needs, by pkg-config's names.
# make            NAME.so in OUT, from the built tree DIST (make build, at the top)
# make run        the whole system, once: see run
DIST ?= ../../.build/dist
OUT ?= build/plugins
SDK := $(DIST)/share/taskhost/sdk
C_SOURCES := $(wildcard Sources/*.c)
SWIFT_SOURCES := $(wildcard Sources/*.swift) $(COMMON:%=../common/%.swift)

.PHONY: all run clean
all: $(OUT)/$(NAME).so

ifeq ($(C_SOURCES),)
$(OUT)/$(NAME).so: $(SWIFT_SOURCES) $(DIST)/lib/taskhost/libTaskhostSDK.a
	mkdir -p -m 755 $(OUT)
	swiftc -O -swift-version 6 -parse-as-library -emit-library -module-name $(NAME)_bundle $(SWIFT_SOURCES) \
	    -I $(DIST)/lib/taskhost -L $(DIST)/lib/taskhost -Xlinker --version-script=$(SDK)/bundle.map -o $@.new
	mv -f $@.new $@
else
$(OUT)/$(NAME).so: $(C_SOURCES) $(wildcard Sources/*.h) $(DIST)/lib/taskhost/libTaskhostSDK.a
	mkdir -p -m 755 $(OUT)
	cc -std=gnu11 -Wall -Wextra -Werror -O2 -g -shared -fPIC -I $(SDK)/include -Wl,--version-script=$(SDK)/bundle.map \
	    $(shell pkg-config --cflags $(LIBRARIES)) $(C_SOURCES) $(shell pkg-config --libs $(LIBRARIES)) -o $@.new
	mv -f $@.new $@
endif

$(DIST)/lib/taskhost/libTaskhostSDK.a:
	$(MAKE) -C ../.. build

run:
	./run

clean:
	rm -rf build
