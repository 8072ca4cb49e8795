/*
 * Preloaded into a process (LD_PRELOAD), records in order what it does to the files of one folder: writes,
 * truncations, syncs. From such a record a test can make every state that a power cut may leave on disk.
 * It can also make the disk fail.
 *
 *   IO_RECORD_DIR         the folder
 *   IO_RECORD_LOG         the record, outside of the folder
 *   IO_FAIL_SYNC_AFTER    optional: after this many syncs of that folder one fails with EIO; later ones succeed, as
 *                         they do on Linux, though what the failed one should have flushed is lost
 *   IO_SYNC_DELAY_MS      optional: each sync takes this much longer
 *   IO_FAULT_FILE         optional: while there is such a file, the disk fails as it says: ENOSPC (files cannot grow),
 *                         EROFS (the file system is read-only), or "EIO inode offset" (what stands at this offset of the
 *                         file with this number cannot be read)
 *
 * A record: 1 byte operation (W write, T truncate, S sync, F failed sync, U unlink, R rename, with the
 * new path as data), 4 bytes length of the path, 8 bytes offset (or
 * size), 4 bytes length of the data, path, data. Numbers little-endian.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static long syncs_left = -1; /* -1: not counted yet; -2: the failure has happened */

static int path_of(int fd, char *path) {
  char link[64];
  const char *dir = getenv("IO_RECORD_DIR");
  if (dir == NULL || fd < 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = syscall(SYS_readlink, link, path, 4095);
  if (length <= 0) return 0;
  path[length] = 0;
  return strncmp(path, dir, strlen(dir)) == 0;
}

/* What the fault file says; empty: no fault. */
static void read_fault(char *text, size_t size) {
  text[0] = 0;
  const char *name = getenv("IO_FAULT_FILE");
  if (name == NULL) return;
  int file = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC, 0);
  if (file < 0) return;
  ssize_t length = syscall(SYS_read, file, text, size - 1);
  syscall(SYS_close, file);
  text[length > 0 ? length : 0] = 0;
}

/* The errno that a write up to `end` fails with, 0: none. */
static int fault_at(int fd, off64_t end) {
  char text[128];
  read_fault(text, sizeof text);
  if (strncmp(text, "EROFS", 5) == 0) return EROFS;
  struct stat status;
  if (strncmp(text, "ENOSPC", 6) != 0 || fd < 0 || fstat(fd, &status) != 0) return 0;
  return end > status.st_size ? ENOSPC : 0;
}

/* Whether a read of this part of a file fails. */
static int is_unreadable(int fd, off64_t offset, size_t length) {
  char text[128], path[4096];
  long long inode, at;
  struct stat status;
  if (!path_of(fd, path)) return 0;
  read_fault(text, sizeof text);
  if (sscanf(text, "EIO %lld %lld", &inode, &at) != 2) return 0;
  if (fstat(fd, &status) != 0 || (long long)status.st_ino != inode) return 0;
  return offset <= at && at < offset + (off64_t)length;
}

static void put(const void *data, size_t length) {
  const char *at = data;
  while (length > 0) {
    ssize_t done = syscall(SYS_write, log_fd, at, length);
    if (done <= 0) abort();
    at += done;
    length -= (size_t)done;
  }
}

/* The caller holds the lock. */
static void record(char operation, const char *path, uint64_t offset, const void *data, uint32_t length) {
  uint32_t path_length = (uint32_t)strlen(path);
  if (log_fd < 0) {
    const char *name = getenv("IO_RECORD_LOG");
    if (name == NULL) return;
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0) abort();
  }
  put(&operation, 1);
  put(&path_length, 4);
  put(&offset, 8);
  put(&length, 4);
  put(path, path_length);
  put(data, length);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
  char path[4096];
  if (!path_of(fd, path)) return syscall(SYS_pwrite64, fd, data, length, offset);
  int fault = fault_at(fd, offset + (off64_t)length);
  if (fault != 0) {
    errno = fault;
    return -1;
  }
  pthread_mutex_lock(&lock);
  ssize_t done = syscall(SYS_pwrite64, fd, data, length, offset);
  int error = errno;
  if (done > 0) record('W', path, (uint64_t)offset, data, (uint32_t)done);
  pthread_mutex_unlock(&lock);
  errno = error;
  return done;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }

ssize_t write(int fd, const void *data, size_t length) {
  char path[4096];
  if (!path_of(fd, path)) return syscall(SYS_write, fd, data, length);
  pthread_mutex_lock(&lock);
  off_t offset = syscall(SYS_lseek, fd, 0, (fcntl(fd, F_GETFL) & O_APPEND) != 0 ? SEEK_END : SEEK_CUR);
  ssize_t done = syscall(SYS_write, fd, data, length);
  int error = errno;
  if (done > 0) record('W', path, (uint64_t)offset, data, (uint32_t)done);
  pthread_mutex_unlock(&lock);
  errno = error;
  return done;
}

ssize_t pread64(int fd, void *data, size_t length, off64_t offset) {
  if (is_unreadable(fd, offset, length)) {
    errno = EIO;
    return -1;
  }
  return syscall(SYS_pread64, fd, data, length, offset);
}

ssize_t pread(int fd, void *data, size_t length, off_t offset) { return pread64(fd, data, length, offset); }

int ftruncate64(int fd, off64_t size) {
  char path[4096];
  if (!path_of(fd, path)) return (int)syscall(SYS_ftruncate, fd, size);
  if (fault_at(-1, 0) == EROFS) {
    errno = EROFS;
    return -1;
  }
  pthread_mutex_lock(&lock);
  int result = (int)syscall(SYS_ftruncate, fd, size);
  int error = errno;
  if (result == 0) record('T', path, (uint64_t)size, "", 0);
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int sync_file(long number, int fd) {
  char path[4096];
  if (!path_of(fd, path)) return (int)syscall(number, fd);
  pthread_mutex_lock(&lock);
  const char *limit = getenv("IO_FAIL_SYNC_AFTER");
  if (limit != NULL && syncs_left == -1) syncs_left = atol(limit);
  const char *delay = getenv("IO_SYNC_DELAY_MS");
  if (delay != NULL) usleep((useconds_t)atol(delay) * 1000);
  int failing = limit != NULL && syncs_left == 0;
  if (limit != NULL && syncs_left > 0) syncs_left -= 1;
  if (failing) syncs_left = -2;
  int result = failing ? -1 : (int)syscall(number, fd);
  int error = failing ? EIO : errno;
  if (result == 0) record('S', path, 0, "", 0);
  if (failing) record('F', path, 0, "", 0);
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

int fsync(int fd) { return sync_file(SYS_fsync, fd); }

int fdatasync(int fd) { return sync_file(SYS_fdatasync, fd); }

int unlink(const char *path) {
  const char *dir = getenv("IO_RECORD_DIR");
  pthread_mutex_lock(&lock);
  int result = (int)syscall(SYS_unlink, path);
  int error = errno;
  if (result == 0 && dir != NULL && strncmp(path, dir, strlen(dir)) == 0) record('U', path, 0, "", 0);
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

int rename(const char *from, const char *to) {
  const char *dir = getenv("IO_RECORD_DIR");
  pthread_mutex_lock(&lock);
  int result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  int error = errno;
  if (result == 0 && dir != NULL && strncmp(from, dir, strlen(dir)) == 0) {
    record('R', from, 0, to, (uint32_t)strlen(to));
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

int access(const char *path, int mode) {
  const char *dir = getenv("IO_RECORD_DIR");
  int isOurs = dir != NULL && strncmp(path, dir, strlen(dir)) == 0;
  if (isOurs && (mode & W_OK) != 0 && fault_at(-1, 0) == EROFS) {
    errno = EROFS;
    return -1;
  }
  return (int)syscall(SYS_faccessat, AT_FDCWD, path, mode, 0);
}
