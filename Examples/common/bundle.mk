# What the Makefiles of the examples share. NAME is the bundle's; COMMON names the files of ../common it is made of, too;
# LIBRARIES those of the system that its C code needs, by pkg-config's names. A bundle is in Swift, in C, or in both: then
# Sources/Bridge.h tells Swift what the C code offers.
# make            NAME.so in OUT, from the built tree DIST (make build, at the top)
# make run        the whole system, once: see run
DIST ?= ../../.build/dist
OUT ?= build/plugins
SDK := $(DIST)/share/taskhost/sdk
C_SOURCES := $(wildcard Sources/*.c)
C_FLAGS = -std=gnu11 -Wall -Wextra -Werror -O2 -g -fPIC -I $(SDK)/include $(shell pkg-config --cflags $(LIBRARIES))
LINKED = $(shell pkg-config --libs $(LIBRARIES))
SWIFT_SOURCES := $(wildcard Sources/*.swift) $(COMMON:%=../common/%.swift)

.PHONY: all run clean
all: $(OUT)/$(NAME).so

$(OUT)/$(NAME).so: $(C_SOURCES) $(SWIFT_SOURCES) $(wildcard Sources/*.h) $(DIST)/lib/taskhost/libTaskhostSDK.a
	$(if $(LIBRARIES),@pkg-config --exists --print-errors $(LIBRARIES))
	mkdir -p -m 755 $(OUT)
ifeq ($(strip $(SWIFT_SOURCES)),)
	cc $(C_FLAGS) -shared -Wl,--version-script=$(SDK)/bundle.map $(C_SOURCES) $(LINKED) -o $@.new
else
	$(if $(C_SOURCES),cc $(C_FLAGS) -r $(C_SOURCES) -o $@.o)
	swiftc -O -wmo -swift-version 6 -parse-as-library -emit-library -module-name $(NAME)_bundle $(SWIFT_SOURCES) \
	    $(if $(C_SOURCES),-import-objc-header Sources/Bridge.h $@.o $(LINKED)) \
	    -I $(DIST)/lib/taskhost -L $(DIST)/lib/taskhost -Xlinker --version-script=$(SDK)/bundle.map -o $@.new
	rm -f $@.o
endif
	mv -f $@.new $@

$(DIST)/lib/taskhost/libTaskhostSDK.a:
	$(MAKE) -C ../.. build

run:
	./run

clean:
	rm -rf build
