// Tasks that end together.
//
// A task is a thread of the library whose state says which set it belongs to. At its end the thread
// itself tells the set (see `ending` in thread.cpp), after it has ceased to be a target. So the set
// is decided by the very thread that decides it, and the others are told at once, whatever their
// parent does meanwhile.
//
// Whoever joins sleeps once, until the last task has ended: tasks that end wake nobody else, so the
// join of n of them costs n joins and one wake-up. The sleep is interruptible. An interrupt that
// comes when the set is decided already, ends the sleep and finds that there is a result, or that
// all were told; it is left for later, and the join goes on deaf to further ones (T3).
//
// Told is a task that was sent a termination by the set: that is noted before it is sent, so that a
// `terminated` that ends it is known to be the set's own. If somebody else had sent one as well,
// the two are one (D5), and so is what becomes of them.
//
// A termination is sent without the mutex: it may call a waker, which is the user's code. The set
// outlives that, as it outlives its threads: they are joined before it goes.
#include <sigexc/detail/task_set.hpp>

#include "mailbox/forks.hpp"
#include "mailbox/parking_lot.hpp"
#include "target/record.hpp"
#include "thread/start.hpp"
#include "thread/unobserved.hpp"
#include "wait/await.hpp"

#include <sigexc/exceptions.hpp>

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <new>
#include <system_error>
#include <utility>
#include <vector>

namespace sigexc::detail {

namespace {

// What has ended `task` besides a termination that its set has sent; null for nothing.
std::exception_ptr own_failure(const thread_state& task) noexcept {
  if (!task.is_told || task.failure == nullptr) return task.failure;
  if (matches(task.failure, typeid(terminated))) return nullptr;
  const void* found = nullptr;
  if (!matches(task.failure, typeid(exception_group), &found)) return task.failure;
  try {
    const auto others = static_cast<const exception_group*>(found)->split<terminated>().second;
    if (!others) return nullptr;
    if (others->exceptions().size() == 1) return others->exceptions().front();
    return std::make_exception_ptr(*others);
  } catch (const std::bad_alloc&) {
    return task.failure;
  }
}

void report_own_failure(const thread_state& task) noexcept {
  if (task.observed.load(std::memory_order_relaxed)) return;
  if (const std::exception_ptr failure = own_failure(task))
    report_unobserved(target(task.self), failure);
}

}  // namespace

task_set::task_set(decided_by what) noexcept : decided_by_(what), forks_before_(forks()) {}

task_set::~task_set() { end(); }

bool task_set::is_left_behind() const noexcept { return forks_before_ != forks(); }

void task_set::check_presence() const {
  if (is_left_behind())
    throw std::system_error(ESRCH, std::generic_category(),
                            "sigexc: task_group: it was made before fork(), and its tasks did not "
                            "come along into this child: make another one");
}

void task_set::start(const std::shared_ptr<thread_state>& task, const thread_options& options) {
  check_presence();
  join_ended();
  task->set = this;
  make_target(*task, options);
  bool is_ending = false;
  try {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(task);
    running_.fetch_add(1, std::memory_order_relaxed);
    is_ending = task->is_told = is_ending_.load(std::memory_order_relaxed);
  } catch (...) {
    task->self->abandon();
    throw;
  }
  if (is_ending) request_end(*task);  // S7: the body does not run
  try {
    launch(task, options);
  } catch (...) {
    forget(*task);
    throw;
  }
}

void task_set::forget(const thread_state& task) noexcept {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(tasks_, [&task](const auto& one) { return one.get() == &task; });
  }
  if (running_.fetch_sub(1, std::memory_order_seq_cst) == 1) parking_lot::wake_all(&running_);
}

void task_set::task_ended(thread_state& task) noexcept {
  if (is_left_behind()) return;
  bool decides = false;
  {
    const std::lock_guard lock(mutex_);
    if (task.failure == nullptr) ++ended_;
    task.has_ended = true;
    decides = !is_ending_.load(std::memory_order_relaxed) &&
              (decided_by_ == decided_by::first_end || task.failure != nullptr);
    if (decides) {
      first_ = &task;
      is_ending_.store(true, std::memory_order_seq_cst);
    }
  }
  if (decides) tell_all();
  if (running_.fetch_sub(1, std::memory_order_seq_cst) == 1) parking_lot::wake_all(&running_);
}

void task_set::tell_all() noexcept {
  // New ones are appended, and are told by who starts them; none is taken out before all have
  // ended.
  for (std::size_t i = 0;; ++i) {
    std::shared_ptr<thread_state> task;
    {
      const std::lock_guard lock(mutex_);
      if (i >= tasks_.size()) return;
      if (tasks_[i]->has_ended || std::exchange(tasks_[i]->is_told, true)) continue;
      task = tasks_[i];
    }
    request_end(*task);
  }
}

void task_set::terminate() noexcept {
  if (is_left_behind()) return;
  {
    const std::lock_guard lock(mutex_);
    is_ending_.store(true, std::memory_order_seq_cst);
  }
  tell_all();
}

// Joins those that have ended, if they are many, so that a group may go on for ever.
void task_set::join_ended() {
  tasks gone;
  {
    const std::lock_guard lock(mutex_);
    if (ended_ * 2 <= tasks_.size() || is_ending_.load(std::memory_order_relaxed)) return;
    gone.reserve(ended_);
    const auto is_gone = [](const auto& task) { return task->has_ended && !task->failure; };
    std::copy_if(tasks_.begin(), tasks_.end(), std::back_inserter(gone), is_gone);
    std::erase_if(tasks_, is_gone);
    ended_ = 0;
  }
  for (const auto& task : gone) pthread_join(task->handle, nullptr);
}

// Waits, deaf to interrupts, until all have ended, and joins them. The set is empty and open then.
task_set::tasks task_set::join_all() noexcept {
  tasks all;
  do {
    await_deaf(&running_, [this] { return running_.load(std::memory_order_seq_cst) == 0; });
    const std::lock_guard lock(mutex_);
    if (running_.load(std::memory_order_relaxed) != 0) continue;  // somebody has started one
    all = std::exchange(tasks_, {});
    ended_ = 0;
    is_ending_.store(false, std::memory_order_relaxed);
    break;
  } while (true);
  for (const auto& task : all) pthread_join(task->handle, nullptr);
  return all;
}

void task_set::end() noexcept {
  if (is_left_behind()) return;
  terminate();
  for (const auto& task : join_all()) report_own_failure(*task);
}

void task_set::await_decision() {
  check_presence();
  if (current.self != nullptr) {
    const std::lock_guard lock(mutex_);
    if (std::any_of(tasks_.begin(), tasks_.end(),
                    [](const auto& task) { return task->self.get() == current.self; }))
      throw std::system_error(EDEADLK, std::generic_category(),
                              "sigexc: task_group::join: a task would wait for its own group");
  }
  try {
    await(
        &running_,
        [this] {
          return running_.load(std::memory_order_seq_cst) == 0 ||
                 is_ending_.load(std::memory_order_seq_cst);
        },
        std::nullopt);
  } catch (...) {  // what has interrupted us reaches the tasks first
    end();
    throw;
  }
}

void task_set::join() {
  await_decision();
  const tasks all = join_all();
  std::exception_ptr thrown;
  try {
    std::vector<std::exception_ptr> failures;
    for (const auto& task : all)
      if (std::exception_ptr failure = own_failure(*task)) failures.push_back(std::move(failure));
    if (failures.size() == 1) thrown = failures.front();
    if (failures.size() > 1) thrown = std::make_exception_ptr(exception_group(std::move(failures)));
  } catch (const std::bad_alloc&) {
    for (const auto& task : all) report_own_failure(*task);
    throw;
  }
  if (thrown != nullptr) std::rethrow_exception(std::move(thrown));
}

const thread_state* task_set::join_first() {
  await_decision();
  const tasks all = join_all();
  for (const auto& task : all)
    if (task.get() != first_) report_own_failure(*task);
  return first_;
}

}  // namespace sigexc::detail
