// The C11 threads that librdkafka uses, over POSIX threads, for programs built with ThreadSanitizer only.
//
// Debian's librdkafka starts its threads with thrd_create(), which glibc implements without going through
// pthread_create(). ThreadSanitizer intercepts the latter alone, so a thread of librdkafka's has none of the state that
// every intercepted function expects, and the first malloc() in it is a crash. A program's own definitions come before
// libc's, for its shared libraries too: linked into a program, these make such threads known.
//
// Locks and conditions are here for a second reason: what orders librdkafka's threads is seen as well, so that its
// reports need no suppressing as a whole. These are the functions that librdkafka 2.0.2 calls (`nm -D`), but for
// thrd_current(), which is pthread_self(): in glibc the C11 types are the POSIX ones under other names.
#include <cerrno>
#include <cstdint>
#include <memory>

#include <pthread.h>
#include <threads.h>

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && alignof(mtx_t) >= alignof(long));
static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t));
static_assert(sizeof(once_flag) == sizeof(pthread_once_t));
static_assert(sizeof(thrd_t) == sizeof(pthread_t));

namespace {

struct Start {
  thrd_start_t function;
  void* argument;
};

void* run(void* start) {
  const std::unique_ptr<Start> what(static_cast<Start*>(start));
  const std::intptr_t result = what->function(what->argument);
  return reinterpret_cast<void*>(result);  // NOLINT(performance-no-int-to-ptr): the way pthread_join() has for it
}

int thrd_result(int error) {
  switch (error) {
    case 0:
      return thrd_success;
    case ENOMEM:
      return thrd_nomem;
    case ETIMEDOUT:
      return thrd_timedout;
    case EBUSY:
      return thrd_busy;
    default:
      return thrd_error;
  }
}

pthread_mutex_t* mutex_of(mtx_t* mutex) {
  return reinterpret_cast<pthread_mutex_t*>(mutex);
}
pthread_cond_t* condition_of(cnd_t* condition) {
  return reinterpret_cast<pthread_cond_t*>(condition);
}

}  // namespace

extern "C" {

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
  auto* start = new Start{.function = function, .argument = argument};  // the thread's own, once there is one
  const int error = pthread_create(thread, nullptr, run, start);
  if (error != 0) delete start;
  return error == EAGAIN ? thrd_nomem : thrd_result(error);
}

int thrd_join(thrd_t thread, int* result) {
  void* returned = nullptr;
  const int error = pthread_join(thread, &returned);
  if (error == 0 && result != nullptr) *result = static_cast<int>(reinterpret_cast<std::intptr_t>(returned));
  return thrd_result(error);
}

int mtx_init(mtx_t* mutex, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, (type & mtx_recursive) != 0 ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
  const int error = pthread_mutex_init(mutex_of(mutex), &attributes);
  pthread_mutexattr_destroy(&attributes);
  return thrd_result(error);
}

int mtx_lock(mtx_t* mutex) {
  return thrd_result(pthread_mutex_lock(mutex_of(mutex)));
}
int mtx_unlock(mtx_t* mutex) {
  return thrd_result(pthread_mutex_unlock(mutex_of(mutex)));
}
void mtx_destroy(mtx_t* mutex) {
  pthread_mutex_destroy(mutex_of(mutex));
}

int cnd_init(cnd_t* condition) {
  return thrd_result(pthread_cond_init(condition_of(condition), nullptr));
}
int cnd_signal(cnd_t* condition) {
  return thrd_result(pthread_cond_signal(condition_of(condition)));
}
int cnd_broadcast(cnd_t* condition) {
  return thrd_result(pthread_cond_broadcast(condition_of(condition)));
}
void cnd_destroy(cnd_t* condition) {
  pthread_cond_destroy(condition_of(condition));
}

int cnd_wait(cnd_t* condition, mtx_t* mutex) {
  return thrd_result(pthread_cond_wait(condition_of(condition), mutex_of(mutex)));
}

int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until) {
  return thrd_result(pthread_cond_timedwait(condition_of(condition), mutex_of(mutex), until));
}

void call_once(once_flag* flag, void (*function)()) {
  pthread_once(reinterpret_cast<pthread_once_t*>(flag), function);
}

}  // extern "C"
