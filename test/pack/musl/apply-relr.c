// musl learned DT_RELR (packed relative relocations) in 1.2.4; Debian 12 has 1.2.3, and the libraries beside the musl
// build of Node.js on PyPI use it. Preloaded, this applies them: musl runs the constructors of preloaded libraries before
// those of any other. What the program had copied out of those libraries before that (vtables) is then copied again.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

static void relocate(size_t base, const size_t *entry, const size_t *end) {
  size_t *where = NULL;
  for (; entry < end; entry++) {
    if ((*entry & 1) == 0) {
      where = (size_t *)(base + *entry);
      *where++ += base;
    } else {
      for (size_t i = 0, bits = *entry >> 1; bits != 0; i++, bits >>= 1)
        if (bits & 1) where[i] += base;
      where += 8 * sizeof(size_t) - 1;
    }
  }
}

static size_t find(const struct dl_phdr_info *object, long tag, long as_address) {
  for (int i = 0; i < object->dlpi_phnum; i++) {
    if (object->dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
    for (const ElfW(Dyn) *d = (const void *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr); d->d_tag != DT_NULL; d++)
      if (d->d_tag == tag) return as_address ? object->dlpi_addr + d->d_un.d_ptr : d->d_un.d_val;
  }
  return 0;
}

static void make_writable(const struct dl_phdr_info *object) {
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &object->dlpi_phdr[i];
    if (header->p_type != PT_GNU_RELRO) continue;
    size_t from = (object->dlpi_addr + header->p_vaddr) & -4096;
    size_t to = (object->dlpi_addr + header->p_vaddr + header->p_memsz + 4095) & -4096;
    if (mprotect((void *)from, to - from, PROT_READ | PROT_WRITE) != 0) __builtin_trap();
  }
}

static int apply_packed(struct dl_phdr_info *object, size_t bytes, void *unused) {
  (void)bytes, (void)unused;
  if (find(object, 36 /* DT_RELR */, 0) == 0) return 0;
  make_writable(object);
  const size_t *first = (const size_t *)find(object, 36, 1);
  relocate(object->dlpi_addr, first, first + find(object, 35 /* DT_RELRSZ */, 0) / sizeof(size_t));
  return 0;
}

static int copy_again(struct dl_phdr_info *program, size_t bytes, void *unused) {
  (void)bytes, (void)unused;
  make_writable(program);
  const ElfW(Rela) *entry = (const void *)find(program, DT_RELA, 1);
  const ElfW(Rela) *end = entry + find(program, DT_RELASZ, 0) / sizeof(*entry);
  const ElfW(Sym) *symbols = (const void *)find(program, DT_SYMTAB, 1);
  const char *names = (const char *)find(program, DT_STRTAB, 1);
  for (; entry < end; entry++) {
    if (ELF64_R_TYPE(entry->r_info) != R_X86_64_COPY) continue;
    const ElfW(Sym) *symbol = &symbols[ELF64_R_SYM(entry->r_info)];
    const void *original = dlsym(RTLD_NEXT, names + symbol->st_name);
    if (original != NULL) memcpy((void *)(program->dlpi_addr + entry->r_offset), original, symbol->st_size);
  }
  return 1;  // The program comes first, and only it has such copies.
}

__attribute__((constructor)) static void apply(void) {
  dl_iterate_phdr(apply_packed, NULL);
  dl_iterate_phdr(copy_again, NULL);
}
