#include <string>

#include <gtest/gtest.h>

#include <klue/core/detail/processors.hpp>

#include "checkpoint/scratch_directory.hpp"

namespace klue::detail {
namespace {

class ControlGroups : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& content) { root_.write(file, content); }
  std::optional<double> quota() const { return cpu_quota(root_.path()); }
  std::size_t processors() const { return usable_processors(root_.path()); }

 private:
  test::ScratchDirectory root_;
};

TEST_F(ControlGroups, WithoutThemThereIsNoQuota) {
  EXPECT_EQ(quota(), std::nullopt);
  EXPECT_EQ(processors(), usable_processors("/nowhere"));
  EXPECT_GE(processors(), 1u);
}

TEST_F(ControlGroups, Version2) {
  write("proc/self/cgroup", "0::/user.slice/app\n");
  write("sys/fs/cgroup/user.slice/app/cpu.max", "50000 100000\n");
  EXPECT_EQ(quota(), 0.5);
  EXPECT_EQ(processors(), 1u);
  write("sys/fs/cgroup/user.slice/app/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), std::nullopt);
}

TEST_F(ControlGroups, AGroupIsHeldToTheLimitsAboveIt) {
  write("proc/self/cgroup", "0::/user.slice/app\n");
  write("sys/fs/cgroup/user.slice/app/cpu.max", "300000 100000\n");
  write("sys/fs/cgroup/user.slice/cpu.max", "150000 100000\n");
  EXPECT_EQ(quota(), 1.5);
}

// The paths are those outside of the container, the files those inside.
TEST_F(ControlGroups, InAContainer) {
  write("proc/self/cgroup", "0::/../../docker/0123\n");
  write("sys/fs/cgroup/cpu.max", "25000 100000\n");
  EXPECT_EQ(quota(), 0.25);
  write("proc/self/cgroup", "0::/docker/0123\n");
  EXPECT_EQ(quota(), 0.25);
  write("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(quota(), 0.25);
}

TEST_F(ControlGroups, Version1) {
  for (const std::string controllers : {"cpu", "cpu,cpuacct", "cpuacct,cpu"}) {
    write("proc/self/cgroup", "5:memory:/app\n4:" + controllers + ":/app\n0::/\n");
    const std::string group = "sys/fs/cgroup/" + controllers + "/app/";
    write(group + "cpu.cfs_period_us", "100000\n");
    write(group + "cpu.cfs_quota_us", "50000\n");
    EXPECT_EQ(quota(), 0.5);
    EXPECT_EQ(processors(), 1u);
    write(group + "cpu.cfs_quota_us", "-1\n");
    EXPECT_EQ(quota(), std::nullopt);
  }
}

TEST_F(ControlGroups, Version1InAContainer) {
  write("proc/self/cgroup", "4:cpu,cpuacct:/docker/0123\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "75000");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "50000");
  EXPECT_EQ(quota(), 1.5);
}

TEST_F(ControlGroups, WhatMakesNoSenseIsNoQuota) {
  write("proc/self/cgroup", "0::/app\nnonsense\n:\n4:cpu\n1:name=systemd:/app\n");
  for (const char* content : {"", "half", "50000", "-1 100000", "0 100000", "50000 0", "1 nan"}) {
    write("sys/fs/cgroup/app/cpu.max", content);
    EXPECT_EQ(quota(), std::nullopt) << content;
  }
  write("sys/fs/cgroup/app/cpu.max", "99999999999999999999 100000");
  EXPECT_EQ(processors(), usable_processors("/nowhere"));
}

}  // namespace
}  // namespace klue::detail
