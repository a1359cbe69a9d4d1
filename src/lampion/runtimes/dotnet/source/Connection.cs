using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Sockets;

namespace Lampion.Runtime
{
    /// <summary>HTTP/1.1 over a plain socket, as much of it as the Runtime API speaks. HttpClient takes longer to start.</summary>
    internal sealed class Connection
    {
        internal const int BufferBytes = 16384;

        private readonly IPEndPoint place;
        private readonly byte[] buffer = new byte[BufferBytes];
        private Socket socket;
        private int position;
        private int limit;

        /// <summary>The address is HOST:PORT, with a number for the host or its name.</summary>
        internal Connection(string address)
        {
            int colon = address.LastIndexOf(':');
            string host = address.Substring(0, colon);
            IPAddress found = IPAddress.TryParse(host, out IPAddress number) ? number : Dns.GetHostAddresses(host)[0];
            place = new IPEndPoint(found, int.Parse(address.Substring(colon + 1)));
            Connect();
        }

        internal int Status { get; private set; }

        /// <summary>Of the last answer; names in lower case.</summary>
        internal Dictionary<string, string> Headers { get; private set; }

        /// <summary>A server may close after each answer.</summary>
        internal void Renew()
        {
            try
            {
                if (limit == position && socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0)
                {
                    socket.Dispose();
                    Connect();
                }
            }
            catch (SocketException)
            {
                throw new RuntimeApi.EndedException();
            }
        }

        internal void Send(byte[] bytes, int count)
        {
            try
            {
                int sent = 0;
                while (sent < count)
                {
                    sent += socket.Send(bytes, sent, count - sent, SocketFlags.None);
                }
            }
            catch (SocketException)
            {
                throw new RuntimeApi.EndedException();
            }
        }

        /// <summary>The answer's body.</summary>
        internal byte[] ReadAnswer()
        {
            string first = Line();
            Status = int.Parse(first.Substring(9, 3)); // after "HTTP/1.1 "
            Headers = new Dictionary<string, string>();
            for (string line = Line(); line.Length > 0; line = Line())
            {
                int colon = line.IndexOf(':');
                Headers[line.Substring(0, colon).ToLowerInvariant()] = line.Substring(colon + 1).Trim();
            }
            if (Headers.TryGetValue("transfer-encoding", out string coding) && coding == "chunked")
            {
                return Chunks();
            }
            return Take(Headers.TryGetValue("content-length", out string length) ? int.Parse(length) : 0);
        }

        private void Connect()
        {
            try
            {
                socket = new Socket(place.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                socket.NoDelay = true;
                socket.Connect(place);
            }
            catch (SocketException)
            {
                throw new RuntimeApi.EndedException();
            }
        }

        private byte[] Chunks()
        {
            var whole = new MemoryStream();
            while (true)
            {
                int size = Convert.ToInt32(Line().Split(';')[0].Trim(), 16);
                if (size == 0)
                {
                    while (Line().Length > 0)
                    {
                        // trailers
                    }
                    return whole.ToArray();
                }
                whole.Write(Take(size), 0, size);
                Line();
            }
        }

        private byte[] Take(int size)
        {
            var taken = new byte[size];
            int count = Math.Min(size, limit - position);
            Buffer.BlockCopy(buffer, position, taken, 0, count);
            position += count;
            while (count < size)
            {
                count += Receive(taken, count, size - count);
            }
            return taken;
        }

        /// <summary>Up to the next line break, without it.</summary>
        private string Line()
        {
            string line = "";
            while (true)
            {
                if (position == limit)
                {
                    position = 0;
                    limit = 0;
                    limit = Receive(buffer, 0, buffer.Length);
                }
                int end = Array.IndexOf(buffer, (byte)'\n', position, limit - position);
                line += Latin1.Text(buffer, position, (end < 0 ? limit : end) - position);
                position = end < 0 ? limit : end + 1;
                if (end >= 0)
                {
                    return line.EndsWith("\r", StringComparison.Ordinal) ? line.Substring(0, line.Length - 1) : line;
                }
            }
        }

        private int Receive(byte[] target, int offset, int count)
        {
            try
            {
                int received = socket.Receive(target, offset, count, SocketFlags.None);
                return received > 0 ? received : throw new RuntimeApi.EndedException();
            }
            catch (SocketException)
            {
                throw new RuntimeApi.EndedException();
            }
        }
    }
}
