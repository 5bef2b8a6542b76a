// A foreign library that knows nothing of interrupts: libpq, PostgreSQL's client, waiting for the
// answer to a query. Its way of being woken is `PQcancel`, which asks the server, on a connection
// of its own, to give up the query; so the query ends with an error, and the connection can be used
// again. The server is a thread of this test, on the loopback, which speaks just enough of the
// protocol: it answers "now" at once and everything else when it is cancelled.
#include <sigexc/sync.hpp>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

// The messages of PostgreSQL's protocol 3.0: a letter, the length, the content.
std::string number(std::uint32_t host) {
  const std::uint32_t net = htonl(host);
  std::string bytes(sizeof net, '\0');
  std::memcpy(bytes.data(), &net, sizeof net);
  return bytes;
}
std::string message(char letter, const std::string& content) {
  return letter + number(static_cast<std::uint32_t>(content.size() + 4)) + content;
}
std::string with_zero(const std::string& text) { return text + '\0'; }

class slow_server {
 public:
  slow_server() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listening_, any, size) != 0 || ::listen(listening_, 4) != 0 ||
        ::getsockname(listening_, any, &size) != 0)
      throw std::runtime_error("no server on the loopback");
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  slow_server(const slow_server&) = delete;
  slow_server& operator=(const slow_server&) = delete;
  ~slow_server() {
    ::shutdown(listening_, SHUT_RDWR);
    accepting_.join();
    ::close(listening_);
  }

  [[nodiscard]] std::string address() const {
    return "hostaddr=127.0.0.1 port=" + std::to_string(port_) +
           " user=test dbname=test sslmode=disable gssencmode=disable";
  }
  void await_query() {
    await([this] { return has_query_.exchange(false); });
  }

 private:
  static constexpr std::uint32_t cancel_request = 80877102;

  void accept_all() {
    std::vector<std::thread> sessions;
    for (int client = 0; (client = ::accept(listening_, nullptr, nullptr)) >= 0;) {
      const std::string first = receive(client, receive_number(client) - 4);
      if (first.compare(0, 4, number(cancel_request)) == 0) {
        ::send(running_, cancelled_.data(), cancelled_.size(), MSG_NOSIGNAL);
        ::close(client);
      } else {
        running_ = client;
        sessions.emplace_back([this, client] { serve(client); });
      }
    }
    for (auto& one : sessions) one.join();
  }

  void serve(int client) {
    send(client, message('R', number(0)) + message('K', number(1) + number(2)) + ready_);
    for (std::string letter; (letter = receive(client, 1)) == "Q";) {
      const std::string query = receive(client, receive_number(client) - 4);
      if (query == with_zero("now")) {
        send(client, message('C', with_zero("SELECT 0")) + ready_);
      } else {
        has_query_ = true;
      }
    }
    ::close(client);
  }

  static void send(int to, const std::string& bytes) {
    EXPECT_EQ(::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  static std::string receive(int from, std::size_t size) {
    std::string bytes(size, '\0');
    const bool is_all = ::recv(from, bytes.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size);
    bytes.resize(is_all ? size : 0);
    return bytes;
  }
  static std::size_t receive_number(int from) {
    std::uint32_t net = htonl(4);
    ::recv(from, &net, sizeof net, MSG_WAITALL);
    return ntohl(net);
  }

  const std::string ready_ = message('Z', "I");
  const std::string cancelled_ =
      message('E', with_zero("SERROR") + with_zero("C57014") + with_zero("Mcancelled") + '\0') +
      ready_;
  const int listening_ = ::socket(AF_INET, SOCK_STREAM, 0);
  std::uint16_t port_ = 0;
  std::atomic<int> running_{-1};
  std::atomic<bool> has_query_{false};
  std::thread accepting_;
};

using connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using result = std::unique_ptr<PGresult, decltype(&PQclear)>;
using canceller = std::unique_ptr<PGcancel, decltype(&PQfreeCancel)>;

// An interruptible query.
result query(const connection& database, const char* text) {
  const canceller cancel(PQgetCancel(database.get()), PQfreeCancel);
  return with_wake(
      [&] {
        char error[256];
        PQcancel(cancel.get(), error, sizeof error);
      },
      [&] { return result(PQexec(database.get(), text), PQclear); });
}

TEST(WithWake, CancelsAQueryOfLibpqWhoseConnectionCanBeUsedAgain) {  // O2, O3
  slow_server server;
  thread client([&] {
    const connection database(PQconnectdb(server.address().c_str()), PQfinish);
    ASSERT_EQ(PQstatus(database.get()), CONNECTION_OK) << PQerrorMessage(database.get());
    for (int i = 1; i <= 3; ++i) {
      const result cancelled = query(database, "never");
      EXPECT_EQ(PQresultStatus(cancelled.get()), PGRES_FATAL_ERROR);
      EXPECT_STREQ(PQresultErrorField(cancelled.get(), PG_DIAG_SQLSTATE), "57014");
      EXPECT_EQ(raised_here(), std::to_string(i));
      EXPECT_EQ(PQresultStatus(query(database, "now").get()), PGRES_COMMAND_OK);
    }
    const result answered = query(database, "now");
    EXPECT_EQ(PQresultStatus(answered.get()), PGRES_COMMAND_OK);
    to_self(4);
    EXPECT_EQ(raised_by([&] { query(database, "never"); }), "4");  // O1: it was not sent
  });
  for (int i = 1; i <= 3; ++i) {
    server.await_query();
    client.interrupt(i);
  }
  client.wait();
}

}  // namespace
}  // namespace sigexc::test
