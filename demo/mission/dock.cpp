#include "mission/dock.hpp"

#include <sigexc/exceptions.hpp>
#include <sigexc/safe_point.hpp>

namespace workcell::mission {

void dock_computer::work() {
  for (;;) {
    seat_.wait();
    sigexc::safe_point();
    if (job_ == nullptr) continue;
    const struct handing_back {
      pausable_search*& job;
      ~handing_back() { job = nullptr; }
    } afterwards{job_};
    try {
      job_->resume();
    } catch (const sigexc::terminated&) {
      throw;
    } catch (...) {  // what ended the search: who asks for its result gets it
    }
  }
}

}  // namespace workcell::mission
