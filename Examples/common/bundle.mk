# What the Makefiles of the examples share; NAME is the bundle's.
# make            NAME.so in OUT, from the built tree DIST (make build, at the top)
# make run        the whole system, once: see run
DIST ?= ../../.build/dist
OUT ?= build/plugins
SOURCES := $(wildcard Sources/*.swift) ../common/TCPConnection.swift

.PHONY: all run clean
all: $(OUT)/$(NAME).so

$(OUT)/$(NAME).so: $(SOURCES) $(DIST)/lib/taskhost/libTaskhostSDK.a
	mkdir -p -m 755 $(OUT)
	swiftc -O -swift-version 6 -parse-as-library -emit-library -module-name $(NAME)_bundle $(SOURCES) \
	    -I $(DIST)/lib/taskhost -L $(DIST)/lib/taskhost \
	    -Xlinker --version-script=$(DIST)/share/taskhost/sdk/bundle.map -o $@.new
	mv -f $@.new $@

$(DIST)/lib/taskhost/libTaskhostSDK.a:
	$(MAKE) -C ../.. build

run:
	./run

clean:
	rm -rf build
