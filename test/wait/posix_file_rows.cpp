// Scenes with files and pipes.
#include "wait/posix_scenes.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace sigexc::test {

namespace {

// A folder with a file and a FIFO, of which somebody else opens the other end.
struct folder {
  folder() {
    char name[] = "/tmp/sigexc-XXXXXX";
    EXPECT_NE(::mkdtemp(name), nullptr);
    path = name;
    fifo = path + "/fifo";
    EXPECT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    directory = own(::open(name, O_DIRECTORY | O_CLOEXEC));
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() { std::filesystem::remove_all(path); }

  std::string path, fifo;
  shared_descriptor directory, other_end;
};

// But for those in /proc: this count itself has one, and so may another thread that begins, under a
// sanitizer.
long open_descriptors() {
  return std::ranges::count_if(
      std::filesystem::directory_iterator("/proc/self/fd"), [](const auto& entry) {
        std::error_code closed_meanwhile;
        const auto path = std::filesystem::read_symlink(entry.path(), closed_meanwhile);
        return !closed_meanwhile && !path.string().starts_with("/proc/");
      });
}

scene opening_fifo(std::function<long(const folder&)> call) {
  const auto in = std::make_shared<folder>();
  const auto before = std::make_shared<long>(open_descriptors());
  return {.call = [=] { return call(*in); },
          .feed =
              [=] {
                in->other_end = own(::open(in->fifo.c_str(), O_RDWR | O_CLOEXEC));
                ++*before;
              },
          .check =
              [=](long fd) {
                EXPECT_TRUE(::fcntl(static_cast<int>(fd), F_GETFD) >= 0);
                ::close(static_cast<int>(fd));
                EXPECT_EQ(open_descriptors(), *before);
              },
          .check_untouched = [=] { EXPECT_EQ(open_descriptors(), *before); }};
}

scene creating(std::function<long(const folder&)> call) {
  const auto in = std::make_shared<folder>();
  const auto path = in->path + "/made";
  return {.call = [=] { return call(*in); },
          .check =
              [=](long fd) {
                EXPECT_EQ(::close(static_cast<int>(fd)), 0);
                struct stat made {};
                EXPECT_EQ(::stat(path.c_str(), &made), 0);
                EXPECT_EQ(made.st_mode & 0777U, 0640U);
              },
          .check_untouched = [=] { EXPECT_FALSE(std::filesystem::exists(path)); }};
}

scene reading_file(std::function<long(int, char*)> call) {
  const shared_descriptor file = make_file("abx");
  const auto byte = std::make_shared<char>('-');
  return {.call = [=] { return call(*file, byte.get()); },
          .check =
              [=](long result) {
                EXPECT_EQ(result, 1);
                EXPECT_EQ(*byte, 'x');
              },
          .check_untouched = [=] { EXPECT_EQ(*byte, '-'); }};
}

scene changing_file(const std::string& expected, long result, std::function<long(int)> call) {
  const shared_descriptor file = make_file("abc");
  return {.call = [=] { return call(*file); },
          .check =
              [=](long got) {
                EXPECT_EQ(got, result);
                EXPECT_EQ(content(*file), expected);
              },
          .check_untouched = [=] { EXPECT_EQ(content(*file), "abc"); }};
}

// `try_lock` locks through another description of the same file, without waiting.
scene locking(std::function<bool(int, bool)> try_lock, std::function<long(int)> call) {
  const shared_descriptor file = make_file("abc");
  const shared_descriptor other =
      own(::open(("/proc/self/fd/" + std::to_string(*file)).c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_TRUE(try_lock(*other, true));
  return {.call = [=] { return call(*file); },
          .feed = [=] { EXPECT_TRUE(try_lock(*other, false)); },
          .check =
              [=](long result) {
                EXPECT_EQ(result, 0);
                EXPECT_FALSE(try_lock(*other, true));
              },
          .check_untouched =
              [=] {
                EXPECT_TRUE(try_lock(*other, true));
                EXPECT_TRUE(try_lock(*other, false));
              }};
}

struct ::flock whole_file(bool is_locked) {
  struct ::flock lock {};
  lock.l_type = is_locked ? F_WRLCK : F_UNLCK;
  return lock;
}

}  // namespace

std::vector<row> file_rows() {
  return {
      {"read",
       [] { return reading(make_pipe(), [](int fd, char* to) { return posix::read(fd, to, 1); }); },
       [] { return posix::read(-1, nullptr, 1); }, EBADF},
      {"readv",
       [] {
         return reading(make_pipe(), [](int fd, char* to) {
           const iovec part{to, 1};
           return posix::readv(fd, &part, 1);
         });
       },
       [] { return posix::readv(-1, nullptr, 0); }, EBADF},
      {"write",
       [] {
         return writing(make_pipe(), [](int fd, char* from) { return posix::write(fd, from, 1); });
       },
       [] { return posix::write(-1, nullptr, 1); }, EBADF},
      {"writev",
       [] {
         return writing(make_pipe(), [](int fd, char* from) {
           const iovec part{from, 1};
           return posix::writev(fd, &part, 1);
         });
       },
       [] { return posix::writev(-1, nullptr, 0); }, EBADF},
      {"syscall",
       [] {
         return reading(make_pipe(),
                        [](int fd, char* to) { return posix::syscall(SYS_read, fd, to, 1); });
       },
       [] { return posix::syscall(SYS_read, -1, nullptr, 1); }, EBADF},
      {"pread",
       [] { return reading_file([](int fd, char* to) { return posix::pread(fd, to, 1, 2); }); },
       [] { return posix::pread(-1, nullptr, 1, 0); }, EBADF, waiting::never},
      {"pwrite",
       [] {
         return changing_file("abxy", 2, [](int fd) { return posix::pwrite(fd, "xy", 2, 2); });
       },
       [] { return posix::pwrite(-1, nullptr, 1, 0); }, EBADF, waiting::never},
      {"splice",
       [] {
         const channel from = make_pipe();
         const channel to = make_pipe();
         scene made = reading(from, [=](int fd, char* byte) {
           const ssize_t count = posix::splice(fd, nullptr, *to.out, nullptr, 1, 0);
           return count == 1 ? ::read(*to.in, byte, 1) : count;
         });
         made.check_untouched = [=] { EXPECT_FALSE(is_ready(*to.in)); };
         return made;
       },
       [] { return posix::splice(-1, nullptr, -1, nullptr, 1, 0); }, EBADF},
      {"sendfile",
       [] {
         const shared_descriptor file = make_file("xyz");
         scene made = writing(
             make_pipe(), [=](int out, char*) { return posix::sendfile(out, *file, nullptr, 1); });
         made.check_untouched = [=] { EXPECT_EQ(::lseek(*file, 0, SEEK_CUR), 0); };
         return made;
       },
       [] { return posix::sendfile(-1, -1, nullptr, 1); }, EBADF},
      {"copy_file_range",
       [] {
         const shared_descriptor from = make_file("0x");
         return changing_file("abx", 1, [=](int to) {
           off64_t begin = 1;
           off64_t end = 2;
           return posix::copy_file_range(*from, &begin, to, &end, 1, 0);
         });
       },
       [] { return posix::copy_file_range(-1, nullptr, -1, nullptr, 1, 0); }, EBADF,
       waiting::never},
      {"open",
       [] {
         return opening_fifo(
             [](const folder& in) { return posix::open(in.fifo.c_str(), O_RDONLY | O_CLOEXEC); });
       },
       [] { return posix::open("/nowhere/at/all", O_RDONLY); }, ENOENT},
      {"openat",
       [] {
         return opening_fifo([](const folder& in) {
           return posix::openat(*in.directory, "fifo", O_WRONLY | O_CLOEXEC);
         });
       },
       [] { return posix::openat(-1, "file", O_RDONLY); }, EBADF},
      {"open_of_a_file",
       [] {
         return creating([](const folder& in) {
           return posix::open((in.path + "/made").c_str(), O_CREAT | O_EXCL | O_RDWR, 0640);
         });
       },
       [] { return posix::open("/proc/self/maps", O_RDWR | O_DIRECTORY); }, ENOTDIR,
       waiting::never},
      {"openat_of_a_file",
       [] {
         return creating([](const folder& in) {
           return posix::openat(*in.directory, "made", O_CREAT | O_EXCL | O_RDWR, 0640);
         });
       },
       [] { return posix::openat(-1, "file", O_CREAT | O_RDWR, 0640); }, EBADF, waiting::never},
      {"fsync", [] { return changing_file("abc", 0, [](int fd) { return posix::fsync(fd); }); },
       [] { return posix::fsync(-1); }, EBADF, waiting::never},
      {"fdatasync",
       [] { return changing_file("abc", 0, [](int fd) { return posix::fdatasync(fd); }); },
       [] { return posix::fdatasync(-1); }, EBADF, waiting::never},
      {"flock",
       [] {
         return locking(
             [](int fd, bool is_locked) {
               return ::flock(fd, (is_locked ? LOCK_EX : LOCK_UN) | LOCK_NB) == 0;
             },
             [](int fd) { return posix::flock(fd, LOCK_EX); });
       },
       [] { return posix::flock(-1, LOCK_EX); }, EBADF},
      // The other description is of the same process, where only its own kind of lock conflicts.
      {"fcntl_setlkw",
       [] {
         return locking(
             [](int fd, bool is_locked) {
               struct ::flock lock = whole_file(is_locked);
               return ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
             },
             [](int fd) {
               struct ::flock lock = whole_file(true);
               return posix::fcntl_setlkw(fd, &lock);
             });
       },
       [] {
         struct ::flock lock = whole_file(true);
         return posix::fcntl_setlkw(-1, &lock);
       },
       EBADF},
  };
}

}  // namespace sigexc::test
