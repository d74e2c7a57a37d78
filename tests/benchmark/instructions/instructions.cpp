// gradient|product|loss CALLS: so many calls at 2-32-32-1 with 1000 samples, for an instruction counter to watch.

#include <iostream>
#include <map>
#include <string>

#include "../../network.hpp"
#include "model/kernel.hpp"

namespace thalweg::kernel {

/// Four lanes on every machine: valgrind knows no wider registers.
const Kernel& best() { return compiled<4>(); }

}  // namespace thalweg::kernel

namespace {

using namespace thalweg;

using Call = void (*)(const Risk& risk, In theta, In direction, Out result);

const std::map<std::string, Call> calls{
    {"gradient", [](const Risk& risk, In theta, In, Out g) { risk.gradient(theta, {}, g); }},
    {"product", [](const Risk& risk, In theta, In w, Out hw) { risk.hvp(theta, {}, w, hw); }},
    {"loss", [](const Risk& risk, In theta, In, Out) { risk.value(theta, {}); }},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || !calls.contains(argv[1])) {
    std::cerr << "usage: instructions gradient|product|loss CALLS\n";
    return 2;
  }
  if (!__builtin_cpu_supports("x86-64-v3")) {
    std::cerr << "no AVX2 here\n";
    return 77;
  }
  const test::Network net({.hidden = {32, 32}}, 2, 1000);
  const Vector theta = net.model.start(5), direction = test::normals(theta.size(), 6);
  Vector result(theta.size());
  for (int call = 0; call < std::stoi(argv[2]); ++call) calls.at(argv[1])(net.risk, theta, direction, result);
}
