/* Nothing of libvips is for Swift; this target only carries the compiler and linker flags to CImageOps. */
