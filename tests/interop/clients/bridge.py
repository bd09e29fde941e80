"""Joins stdin and stdout to a local port: a stdio server in another process, for clients that start one."""

import os
import socket
import sys
import threading

connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))


def upwards():
    while data := os.read(0, 65536):
        connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


threading.Thread(target=upwards, daemon=True).start()
while received := connection.recv(65536):
    os.write(1, received)
